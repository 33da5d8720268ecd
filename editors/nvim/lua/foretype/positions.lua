--- Columns of a line in bytes and in the units of LSP's position encodings; pure.
local M = {}

---@alias foretype.Encoding 'utf-8'|'utf-16'|'utf-32'

--- How many units of `encoding` the UTF-8 `text` has. A byte that is no UTF-8 counts as one.
---@param text string
---@param encoding foretype.Encoding
---@return integer
function M.units(text, encoding)
  if encoding == 'utf-8' then
    return #text
  end
  local count = 0
  for i = 1, #text do
    local byte = text:byte(i)
    if byte < 0x80 or byte >= 0xC0 then -- not a continuation byte: a character begins
      count = count + ((byte >= 0xF0 and encoding == 'utf-16') and 2 or 1)
    end
  end
  return count
end

--- The byte column in `line` that is `units` units from its start; the line's end if it is shorter.
---@param line string
---@param units integer
---@param encoding foretype.Encoding
---@return integer
function M.bytes(line, units, encoding)
  if encoding == 'utf-8' then
    return math.min(units, #line)
  end
  local count = 0
  for i = 1, #line do
    local byte = line:byte(i)
    if byte < 0x80 or byte >= 0xC0 then
      if count >= units then
        return i - 1
      end
      count = count + ((byte >= 0xF0 and encoding == 'utf-16') and 2 or 1)
    end
  end
  return #line
end

return M
