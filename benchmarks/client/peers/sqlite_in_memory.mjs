// The one table that Continue's cache keeps, in memory: answers the statements of AutocompleteLruCache, and no others.
class Table {
  rows = new Map();

  async exec() {}

  async run(statement, ...values) {
    if (statement.startsWith("INSERT")) {
      const [key, value, timestamp] = values;
      this.rows.set(key, { key, value, timestamp });
    } else if (statement.startsWith("UPDATE cache SET value")) {
      const [value, timestamp, key] = values;
      Object.assign(this.rows.get(key), { value, timestamp });
    } else if (statement.startsWith("UPDATE cache SET timestamp")) {
      const row = this.rows.get(values[1]);
      if (row) row.timestamp = values[0];
    } else if (statement.startsWith("DELETE")) {
      let oldest;
      for (const row of this.rows.values()) if (!oldest || row.timestamp < oldest.timestamp) oldest = row;
      if (oldest) this.rows.delete(oldest.key);
    }
  }

  async get(statement, value) {
    if (statement.startsWith("SELECT COUNT")) return { count: this.rows.size };
    if (statement.includes("LIKE")) {
      let longest;
      for (const row of this.rows.values()) {
        if (value.startsWith(row.key) && (!longest || row.key.length > longest.key.length)) longest = row;
      }
      return longest;
    }
    return this.rows.get(value);
  }
}

export const open = async () => new Table();
