--- From keys to requests and from answers to ghost text: one suggestion at a time, at the cursor.
local follow = require('foretype.follow')
local ghost = require('foretype.ghost')
local journal = require('foretype.journal')
local options = require('foretype.options')
local popup = require('foretype.popup')
local positions = require('foretype.positions')
local server = require('foretype.server')
local switch = require('foretype.switch')

local M = {}

local INVOKED, AUTOMATIC = 1, 2 -- LSP's InlineCompletionTriggerKind
local REQUEST_CANCELLED, CONTENT_MODIFIED, SERVER_CANCELLED = -32800, -32801, -32802

---@class foretype.Item
---@field text string with line feeds only
---@field lead integer utf-16 units of insertText in front of `text`, which stood in the buffer already
---@field raw table the server's item
---@field reported boolean whether the server knows that it was shown

--- The suggestion at hand: where it was given, and what is left of it at the cursor.
---@class foretype.Shown
---@field buf integer
---@field client table
---@field anchor foretype.Anchor
---@field items foretype.Item[]
---@field index integer
---@field rest string
---@field tick integer of the text that `rest` was found in
---@field row integer of the cursor
---@field col integer
---@field visible boolean false while a menu hides it

---@type foretype.Shown?
local shown = nil
---@type { client: table, id: integer, number: integer }?
local in_flight = nil
local number = 0 -- of the newest request: answers to others are dropped
---@type { buf: integer, tick: integer, row: integer, col: integer }?
local seen = nil -- the cursor and text of the last look: TextChangedI and CursorMovedI come for the same key

--- What is known of the last suggestion and the last answer, for `:Foretype explain`; never text.
---@class foretype.Last
---@field answer? string
---@field argument? table of the item's command
---@field lines? integer
---@field fate? string

---@type foretype.Last
M.last = {}

---@return boolean
local function inserting()
  return vim.api.nvim_get_mode().mode:sub(1, 1) == 'i'
end

local function cancel()
  if in_flight then
    server.cancel(in_flight.client, in_flight.id)
    in_flight = nil
  end
  number = number + 1
end

--- Forget the suggestion and take it off the screen.
---@param fate? string what became of it
local function drop(fate)
  if shown then
    ghost.hide(shown.buf)
    M.last.fate = fate or M.last.fate
    shown = nil
  end
end

local function report_shown()
  local item = shown and shown.items[shown.index]
  if shown and item and not item.reported then
    item.reported = true
    server.notify(shown.client, 'textDocument/didShowCompletion', { item = item.raw })
    local command = item.raw.command
    M.last.argument = type(command) == 'table' and type(command.arguments) == 'table' and command.arguments[1] or nil
    M.last.lines = select(2, item.text:gsub('\n', '')) + 1
    M.last.fate = 'shown'
  end
end

local function draw()
  if not shown then
    return
  end
  shown.visible = options.current.popup == 'show' or not popup.visible()
  if shown.visible then
    ghost.show(shown.buf, shown.row, shown.col, shown.rest)
    report_shown()
  else
    ghost.hide(shown.buf)
  end
end

--- What is left of `item` at the cursor; nil if it does not fit (any more).
---@param buf integer
---@param anchor foretype.Anchor
---@param item foretype.Item
---@param row integer
---@param col integer
---@return string?
local function rest_of(buf, anchor, item, row, col)
  local breaks = select(2, item.text:gsub('\n', ''))
  if row < anchor.row or row > anchor.row + breaks then
    return nil
  end
  local lines = vim.api.nvim_buf_get_lines(buf, anchor.row, row + 1, false)
  return follow.rest(anchor, item.text, lines, row, col)
end

--- Shrink, grow back or drop what is shown, by the text alone.
---@param buf integer
---@param row integer
---@param col integer
local function keep_up(buf, row, col)
  if not shown then
    return
  end
  local rest = shown.buf == buf and rest_of(buf, shown.anchor, shown.items[shown.index], row, col) or nil
  if not rest then
    drop('typed to its end, or something else was typed')
    return
  end
  shown.rest, shown.row, shown.col, shown.tick = rest, row, col, vim.api.nvim_buf_get_changedtick(buf)
  draw()
end

--- An item of the answer as what is to be inserted at the cursor; nil if that is not what it is.
---@param raw any
---@param anchor foretype.Anchor
---@param encoding foretype.Encoding
---@return foretype.Item?
local function to_item(raw, anchor, encoding)
  local text = type(raw) == 'table' and raw.insertText
  text = type(text) == 'table' and text.value or text
  if type(text) ~= 'string' then
    return nil
  end
  text = text:gsub('\r\n?', '\n')
  local lead = ''
  local range = raw.range
  if type(range) == 'table' then
    if range.start.line ~= anchor.row or range['end'].line ~= anchor.row then
      return nil
    end
    local line = anchor.before .. anchor.after
    local from = positions.bytes(line, range.start.character, encoding)
    local to = positions.bytes(line, range['end'].character, encoding)
    lead = anchor.before:sub(from + 1)
    if to ~= anchor.col or from > anchor.col or text:sub(1, #lead) ~= lead then
      return nil
    end
  end
  text = text:sub(#lead + 1)
  if text == '' then
    return nil
  end
  return { text = text, lead = positions.units(lead, 'utf-16'), raw = raw, reported = false }
end

---@param client table
---@param buf integer
---@param anchor foretype.Anchor
---@param tick integer
---@param result any
local function take_answer(client, buf, anchor, tick, result)
  if result == nil or result == vim.NIL then
    M.last.answer = 'a newer request took its place'
    return -- what is shown stays
  end
  if not (vim.api.nvim_get_current_buf() == buf and inserting()) then
    return
  end
  local cursor = vim.api.nvim_win_get_cursor(0)
  if vim.api.nvim_buf_get_changedtick(buf) ~= tick or cursor[1] - 1 ~= anchor.row or cursor[2] ~= anchor.col then
    return -- the key that changed this has asked anew
  end
  local items = {}
  for _, raw in ipairs(type(result) == 'table' and (result.items or result) or {}) do
    items[#items + 1] = to_item(raw, anchor, client.offset_encoding)
  end
  if #items == 0 then
    M.last.answer = 'no suggestion'
    drop('withdrawn')
    return
  end
  M.last.answer = ('%d suggestion%s'):format(#items, #items == 1 and '' or 's')
  shown = {
    buf = buf,
    client = client,
    anchor = anchor,
    items = items,
    index = 1,
    rest = items[1].text,
    tick = tick,
    row = anchor.row,
    col = anchor.col,
    visible = false,
  }
  draw()
end

---@param client table
---@param buf integer
---@param tick integer
---@param row integer
---@param col integer
---@param kind integer
local function ask(client, buf, tick, row, col, kind)
  cancel()
  local mine = number
  local line = vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or ''
  local anchor = { row = row, col = col, before = line:sub(1, col), after = line:sub(col + 1) }
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(buf) },
    position = { line = row, character = positions.units(anchor.before, client.offset_encoding) },
    context = { triggerKind = kind },
  }
  local id = server.request(client, 'textDocument/inlineCompletion', params, function(err, result)
    if mine ~= number then
      return
    end
    in_flight = nil
    if not err then
      take_answer(client, buf, anchor, tick, result)
    elseif err.code ~= REQUEST_CANCELLED and err.code ~= CONTENT_MODIFIED and err.code ~= SERVER_CANCELLED then
      M.last.answer = 'an error'
      journal.add('error', ('A suggestion could not be had: %s'):format(tostring(err.message)))
      drop('withdrawn')
    end
  end, buf)
  if id then
    in_flight = { client = client, id = id, number = mine }
  end
end

--- Whether a suggestion may be asked for in this state of the editor.
---@param buf integer
---@return boolean
local function may_ask(buf)
  return switch.allows(buf)
    and vim.bo[buf].modifiable
    and vim.fn.reg_executing() == ''
    and not (vim.snippet and vim.snippet.active()) -- a suggestion would tear the snippet apart
end

--- The text or the cursor changed: follow it at once, and ask.
---@param kind? integer why; automatic unless given
function M.look(kind)
  local buf = vim.api.nvim_get_current_buf()
  local client = server.client(buf)
  if not client or not inserting() then
    M.clear()
    return
  end
  local cursor = vim.api.nvim_win_get_cursor(0)
  local row, col = cursor[1] - 1, cursor[2]
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  if not kind and seen and seen.buf == buf and seen.tick == tick and seen.row == row and seen.col == col then
    return
  end
  seen = { buf = buf, tick = tick, row = row, col = col }
  keep_up(buf, row, col)
  if may_ask(buf) then
    ask(client, buf, tick, row, col, kind or AUTOMATIC)
  else
    cancel()
    drop('switched off')
  end
end

--- Ask at once, as somebody who waits.
function M.invoke()
  M.look(INVOKED)
end

--- Leave Insert mode, or the buffer: nothing is shown and nothing asked.
---@param fate? string
function M.clear(fate)
  cancel()
  drop(fate or 'Insert mode was left')
  seen = nil
end

--- Take the suggestion off the screen until the next key.
---@return boolean whether there was one
function M.dismiss()
  if not M.visible() then
    return false
  end
  cancel()
  drop('dismissed')
  return true
end

--- Whether a suggestion is on screen, and still fits the text: a key may not have been followed yet.
---@return boolean
function M.visible()
  return M.current() ~= nil
end

--- The suggestion on screen, brought up to the cursor.
---@return foretype.Shown?
function M.current()
  if not shown or vim.api.nvim_get_current_buf() ~= shown.buf or not inserting() then
    return nil
  end
  local cursor = vim.api.nvim_win_get_cursor(0)
  local followed = shown.row == cursor[1] - 1 and shown.col == cursor[2]
  -- Of keys that come in one burst Neovim tells after the last; a backspace and another letter leave the cursor in place.
  if not followed or shown.tick ~= vim.api.nvim_buf_get_changedtick(shown.buf) then
    keep_up(shown.buf, cursor[1] - 1, cursor[2])
  end
  return shown and shown.visible and shown or nil
end

--- The suggestion was taken whole: nothing is shown until the next answer.
function M.taken()
  cancel()
  drop('accepted')
end

--- Show the next (1) or the previous (-1) suggestion.
---@param step integer
---@return boolean whether there are several
function M.cycle(step)
  local now = M.current()
  if not now or #now.items < 2 then
    return false
  end
  for _ = 1, #now.items do
    now.index = (now.index - 1 + step) % #now.items + 1
    local rest = rest_of(now.buf, now.anchor, now.items[now.index], now.row, now.col)
    if rest then
      now.rest = rest
      break
    end
  end
  draw()
  return true
end

--- A completion menu opened or closed.
M.redraw = draw

return M
