--- Keys in Insert mode that act on a suggestion, and without one do what they did before.
local M = {}

---@alias foretype.Action 'accept'|'accept_word'|'accept_line'|'next'|'previous'|'dismiss'

---@type table<string, string> the key of each action that is mapped
local mapped = {}

--- What each does; true if it did something.
---@type table<foretype.Action, fun(): boolean>
local ACTIONS = {
  accept = function()
    return require('foretype').accept()
  end,
  accept_word = function()
    return require('foretype').accept('word')
  end,
  accept_line = function()
    return require('foretype').accept('line')
  end,
  next = function()
    return require('foretype').next()
  end,
  previous = function()
    return require('foretype').previous()
  end,
  dismiss = function()
    return require('foretype').dismiss()
  end,
}

---@param keys string
---@param remap boolean
local function feed(keys, remap)
  local codes = vim.api.nvim_replace_termcodes(keys, true, true, true)
  vim.api.nvim_feedkeys(codes, remap and 'im' or 'in', false)
end

---@param action string
---@return string
local function fallback_name(action)
  return ('<Plug>(foretype-before-%s)'):format(action)
end

---@param action string
---@return string
local function description(action)
  return 'Foretype: ' .. action:gsub('_', ' ')
end

--- Keep what `key` does now under a name of its own.
---@param action string
---@param key string
---@return boolean whether it was mapped
local function keep_before(action, key)
  local was = vim.fn.maparg(key, 'i', false, true)
  if vim.tbl_isempty(was) or was.buffer == 1 then
    return false
  end
  local lhs = fallback_name(action)
  if was.callback then
    -- mapset() loses Lua functions that come through maparg() in some versions.
    vim.keymap.set('i', lhs, was.callback, {
      expr = was.expr == 1,
      remap = was.noremap == 0,
      silent = was.silent == 1,
      replace_keycodes = was.expr == 1 and was.replace_keycodes == 1 or nil,
    })
  else
    was.lhs, was.lhsraw, was.lhsrawalt = lhs, vim.api.nvim_replace_termcodes(lhs, true, true, true), nil
    vim.fn.mapset('i', false, was)
  end
  return true
end

---@param action foretype.Action
---@param key string
local function map(action, key)
  local before = keep_before(action, key)
  vim.keymap.set('i', key, function()
    if ACTIONS[action]() then
      return
    end
    if before then
      feed(fallback_name(action), true)
    else
      feed(key, false)
    end
  end, { desc = description(action), silent = true })
  mapped[action] = key
end

--- Give back what this plugin mapped, so that a second `setup` starts from what was there.
local function unmap()
  for action, key in pairs(mapped) do
    local now = vim.fn.maparg(key, 'i', false, true)
    if now.desc == description(action) then
      pcall(vim.keymap.del, 'i', key)
      local was = vim.fn.maparg(fallback_name(action), 'i', false, true)
      if was.callback then
        vim.keymap.set('i', key, was.callback, { expr = was.expr == 1, remap = was.noremap == 0 })
      elseif not vim.tbl_isempty(was) then
        was.lhs, was.lhsraw, was.lhsrawalt = key, vim.api.nvim_replace_termcodes(key, true, true, true), nil
        vim.fn.mapset('i', false, was)
      end
      pcall(vim.keymap.del, 'i', fallback_name(action))
    end
  end
  mapped = {}
end

---@param keymaps foretype.Keymaps|false
function M.set(keymaps)
  unmap()
  for action, key in pairs(keymaps or {}) do
    if key then
      map(action, key)
    end
  end
end

--- Actions whose key somebody else has mapped since, for `:checkhealth`.
---@return string[]
function M.overridden()
  local found = {}
  for action, key in pairs(mapped) do
    if vim.fn.maparg(key, 'i', false, true).desc ~= description(action) then
      found[#found + 1] = ('%s (%s)'):format(key, action)
    end
  end
  table.sort(found)
  return found
end

return M
