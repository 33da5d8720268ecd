--- What the server says of itself (online, local, off, error), kept for the status line and the commands.
local M = {}

---@class foretype.Status
---@field state 'starting'|'online'|'local'|'off'|'error'|'stopped'
---@field detail string one sentence

---@type foretype.Status
M.current = { state = 'stopped', detail = 'The language server does not run.' }

---@param state string
---@param detail any
function M.set(state, detail)
  M.current = { state = state, detail = type(detail) == 'string' and detail or '' }
  vim.schedule(function()
    vim.cmd.redrawstatus({ bang = true })
    vim.api.nvim_exec_autocmds('User', { pattern = 'ForetypeStatus', modeline = false })
  end)
end

--- One word for the status line; empty where the server does not run.
---@return string
function M.statusline()
  if M.current.state == 'stopped' then
    return ''
  end
  local allowed = require('foretype.switch').allows(vim.api.nvim_get_current_buf())
  return 'Foretype ' .. (allowed and M.current.state or 'off')
end

return M
