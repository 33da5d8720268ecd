--- What the server and this plugin had to say in this session, for `:Foretype log`; nothing of it goes to `:messages`.
local M = {}

local MAX_ENTRIES = 500
local MAX_LENGTH = 2000 -- characters of one entry: a log is read by people

---@type string[]
local entries = {}

---@param level 'error'|'warning'|'info'
---@param text string
function M.add(level, text)
  local line = text:sub(1, MAX_LENGTH):gsub('%s*\n%s*', ' ')
  entries[#entries + 1] = ('%s %-7s %s'):format(os.date('%H:%M:%S'), level, line)
  if #entries > MAX_ENTRIES then
    table.remove(entries, 1)
  end
end

--- A copy of the entries, oldest first.
---@return string[]
function M.lines()
  return vim.list_slice(entries)
end

return M
