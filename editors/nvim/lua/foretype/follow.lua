--- What of a suggestion is left after typing, with no question to the server; pure.
local M = {}

--- Where a suggestion was given, and what stood around the cursor there. `row` and `col` count from 0, `col` in bytes.
---@class foretype.Anchor
---@field row integer
---@field col integer
---@field before string the line up to the cursor
---@field after string the line from the cursor on

--- What editors and pairing plugins put behind the cursor by themselves.
local CLOSERS = '^[%)%]}>"\'`]*$'

--- Whether `after` is `was`, perhaps with brackets and quotes in front that were closed automatically.
---@param was string
---@param after string
---@return boolean
function M.same_rest(was, after)
  if after == was then
    return true
  end
  local added = #after - #was
  return added > 0 and after:sub(added + 1) == was and after:sub(1, added):match(CLOSERS) ~= nil
end

--- The rest of `text` at the cursor, or nil if what was typed since contradicts it or nothing is left.
---@param anchor foretype.Anchor
---@param text string
---@param lines string[] the buffer's lines from the anchor's row to the cursor's
---@param row integer the cursor's
---@param col integer
---@return string?
function M.rest(anchor, text, lines, row, col)
  local first, last = lines[1], lines[#lines]
  if #lines ~= row - anchor.row + 1 or first == nil or first:sub(1, anchor.col) ~= anchor.before then
    return nil
  end
  if row == anchor.row and col < anchor.col then
    return nil
  end
  local typed
  if row == anchor.row then
    typed = first:sub(anchor.col + 1, col)
  else
    local parts = { first:sub(anchor.col + 1) }
    for i = 2, #lines - 1 do
      parts[i] = lines[i]
    end
    parts[#lines] = last:sub(1, col)
    typed = table.concat(parts, '\n')
  end
  if #typed >= #text or text:sub(1, #typed) ~= typed or not M.same_rest(anchor.after, last:sub(col + 1)) then
    return nil
  end
  return text:sub(#typed + 1)
end

return M
