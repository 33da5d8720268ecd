--- The command `:Foretype` and its subcommands.
local M = {}

local STATS_MS = 2000 -- how long the server may take to count

---@param lines string[]
local function tell(lines)
  vim.api.nvim_echo({ { table.concat(lines, '\n') } }, false, {})
end

---@param title string
---@param lines string[]
local function open_buffer(title, lines)
  vim.cmd.new()
  local buf = vim.api.nvim_get_current_buf()
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].buftype, vim.bo[buf].bufhidden, vim.bo[buf].swapfile = 'nofile', 'wipe', false
  vim.bo[buf].modifiable = false
  pcall(vim.api.nvim_buf_set_name, buf, 'foretype://' .. title)
end

local function status()
  local now, buf = require('foretype.status').current, vim.api.nvim_get_current_buf()
  local lines = { ('Foretype: %s. %s'):format(now.state, now.detail) }
  if not require('foretype.server').client(buf) then
    lines[#lines + 1] = 'The language server is not attached to this buffer.'
  elseif not require('foretype.switch').allows(buf) then
    lines[#lines + 1] = 'Suggestions are switched off here (:Foretype toggle).'
  end
  tell(lines)
end

---@param value any
---@param prefix string
---@param lines string[]
local function flatten(value, prefix, lines)
  if type(value) ~= 'table' then
    lines[#lines + 1] = ('%-44s %s'):format(prefix, tostring(value))
    return
  end
  local keys = vim.tbl_keys(value)
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, key in ipairs(keys) do
    flatten(value[key], prefix == '' and tostring(key) or prefix .. '.' .. tostring(key), lines)
  end
end

local function stats()
  local server = require('foretype.server')
  local client = server.client(vim.api.nvim_get_current_buf()) or server.clients()[1]
  if not client then
    tell({ 'Foretype: the language server does not run; see :checkhealth foretype.' })
    return
  end
  local answered, result = false, nil
  server.request(client, 'foretype/stats', vim.empty_dict(), function(err, answer)
    answered, result = true, not err and answer or nil
  end)
  vim.wait(STATS_MS, function()
    return answered
  end, 10)
  if type(result) ~= 'table' then
    tell({ 'Foretype: the language server did not tell its statistics; see :Foretype log.' })
    return
  end
  local lines = {}
  flatten(result, '', lines)
  open_buffer('statistics', lines)
end

local function log()
  local lines = require('foretype.journal').lines()
  local file = vim.fn.stdpath('log') .. '/lsp.log'
  lines[#lines + 1] = ('The server keeps its own log (`foretype-lsp doctor` says where); Neovim keeps %s.'):format(file)
  open_buffer('log', lines)
end

local function explain()
  local last = require('foretype.engine').last
  local lines = {}
  if last.argument then
    local argument = last.argument
    lines[1] = ('Foretype: the last suggestion came from %s after %s ms and has %d line%s: %s.'):format(
      tostring(argument.source),
      tostring(argument.latencyMs),
      last.lines,
      last.lines == 1 and '' or 's',
      last.fate
    )
  else
    lines[1] = 'Foretype: nothing was suggested yet.'
  end
  if last.answer then
    lines[#lines + 1] = ('The last answer of the server: %s.'):format(last.answer)
  end
  local now = require('foretype.status').current
  lines[#lines + 1] = ('State: %s. %s'):format(now.state, now.detail)
  tell(lines)
end

local SCOPES = { 'all', 'buffer', 'filetype' }

---@param scope? string
local function toggle(scope)
  if scope and not vim.tbl_contains(SCOPES, scope) then
    tell({ ('Foretype: `%s` cannot be toggled; known are %s.'):format(scope, table.concat(SCOPES, ', ')) })
    return
  end
  tell({ 'Foretype: ' .. require('foretype').toggle(scope) })
end

---@type table<string, fun(argument?: string)>
local SUBCOMMANDS = { status = status, toggle = toggle, stats = stats, log = log, explain = explain }

---@param args table of nvim_create_user_command
function M.run(args)
  local name = args.fargs[1] or 'status'
  local subcommand = SUBCOMMANDS[name]
  if not subcommand then
    local known = vim.tbl_keys(SUBCOMMANDS)
    table.sort(known)
    tell({ ('Foretype: `%s` is not a subcommand; known are %s.'):format(name, table.concat(known, ', ')) })
    return
  end
  subcommand(args.fargs[2])
end

---@param lead string what is typed of the word
---@param line string the whole command line
---@return string[]
function M.complete(lead, line)
  local words = vim.split(line, '%s+', { trimempty = true })
  local nth = #words - (lead == '' and 0 or 1)
  local candidates = nth == 1 and vim.tbl_keys(SUBCOMMANDS) or (nth == 2 and words[2] == 'toggle') and SCOPES or {}
  local found = vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
  table.sort(found)
  return found
end

return M
