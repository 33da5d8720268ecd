--- Autocommands: start the server where it is wanted, and look at each key where it is attached.
local M = {}

local GROUP = 'foretype'
local watching = false

--- Watch keys from now on; once.
function M.watch()
  if watching then
    return
  end
  watching = true
  local group = vim.api.nvim_create_augroup(GROUP, { clear = true })
  local engine, native = require('foretype.engine'), require('foretype.native')
  local ghost, popup, server = require('foretype.ghost'), require('foretype.popup'), require('foretype.server')
  ghost.define_highlight()

  ---@param events string[]
  ---@param callback fun(args: table)
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = group, callback = callback })
  end

  on({ 'TextChangedI', 'TextChangedP', 'CursorMovedI', 'InsertEnter' }, function(args)
    if native.wanted() or not server.client(args.buf) then
      return
    elseif args.event == 'InsertEnter' then
      vim.schedule(function() -- the mode is entered after the event
        if vim.api.nvim_get_mode().mode:sub(1, 1) == 'i' then
          engine.look()
        end
      end)
    else
      engine.look()
    end
  end)
  on({ 'InsertLeave', 'BufLeave', 'WinLeave' }, function()
    engine.clear()
  end)
  on({ 'BufWipeout' }, function(args)
    require('foretype.switch').forget(args.buf)
  end)
  on({ 'ColorScheme' }, ghost.define_highlight)
  popup.watch(group, engine.redraw)
end

--- The server was attached to a buffer.
---@param buf integer
function M.attached(buf)
  M.watch()
  local native = require('foretype.native')
  if native.wanted() then
    native.enable(buf, require('foretype.switch').allows(buf))
  end
end

--- Start the server in every buffer that is and will be opened.
function M.autostart()
  local group = vim.api.nvim_create_augroup(GROUP .. '_start', { clear = true })
  local server = require('foretype.server')
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    callback = function(args)
      server.start(args.buf)
    end,
  })
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.bo[buf].filetype ~= '' then
      server.start(buf)
    end
  end
end

return M
