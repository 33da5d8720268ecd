--- Taking a suggestion: the edit as an undo step of its own, and the report to the server.
local chunks = require('foretype.chunks')
local engine = require('foretype.engine')
local positions = require('foretype.positions')
local server = require('foretype.server')

local M = {}

---@alias foretype.Part 'all'|'word'|'line'

---@param text string
---@param part foretype.Part
---@return string
local function part_of(text, part)
  return part == 'word' and chunks.word(text) or part == 'line' and chunks.line(text) or text
end

--- Insert at the cursor, which moves behind it.
---@param buf integer
---@param row integer
---@param col integer
---@param text string
local function insert(buf, row, col, text)
  local lines = vim.split(text, '\n', { plain = true })
  vim.api.nvim_buf_set_text(buf, row, col, row, col, lines)
  local last = #lines[#lines] + (#lines == 1 and col or 0)
  vim.api.nvim_win_set_cursor(0, { row + #lines, last })
end

---@param client table
---@param buf integer
---@param raw table the server's item
local function report_accepted(client, buf, raw)
  local command = raw.command
  if type(command) ~= 'table' or type(command.command) ~= 'string' then
    return
  end
  local params = { command = command.command, arguments = command.arguments }
  server.request(client, 'workspace/executeCommand', params, function() end, buf)
end

--- utf-16 units of `insertText` that are in the buffer once `rest` is all that is left.
---@param item foretype.Item
---@param rest string
---@return integer
local function accepted_units(item, rest)
  local taken = item.text:sub(1, #item.text - #rest)
  local text = type(item.raw.insertText) == 'string' and item.raw.insertText or ''
  local returns = text:find('\r\n', 1, true) and select(2, taken:gsub('\n', '')) or 0
  return item.lead + positions.units(taken, 'utf-16') + returns
end

--- Insert a part of what is shown. Runs as a command of its own, between two breaks of the undo sequence.
---@param part foretype.Part
function M.apply(part)
  local now = engine.current()
  if not now then
    return
  end
  local item, text = now.items[now.index], part_of(now.rest, part)
  local rest = now.rest:sub(#text + 1)
  if rest == '' then
    local buf, row, col, client = now.buf, now.row, now.col, now.client
    engine.taken()
    insert(buf, row, col, text)
    report_accepted(client, buf, item.raw)
  else
    local client, units = now.client, accepted_units(item, rest)
    insert(now.buf, now.row, now.col, text)
    server.notify(client, 'textDocument/didPartiallyAcceptCompletion', { item = item.raw, acceptedLength = units })
  end
  engine.look()
end

local KEYS = '<C-g>u<Cmd>lua require("foretype.accept").apply("%s")<CR><C-g>u'

--- Take the suggestion on screen, or a part of it.
---@param part? foretype.Part
---@return boolean whether there was one
function M.accept(part)
  if not engine.visible() then
    return false
  end
  local keys = vim.api.nvim_replace_termcodes(KEYS:format(part or 'all'), true, false, true)
  -- At the head of what is typed, so that keys pressed meanwhile come after it.
  vim.api.nvim_feedkeys(keys, 'in', false)
  return true
end

return M
