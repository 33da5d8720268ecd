--- Foretype for Neovim: `require('foretype').setup{}`, and what mappings and status lines call.
local M = {}

--- Set up the plugin. Options are described in `:help foretype-options`.
---@param given? foretype.Options
function M.setup(given)
  local options = require('foretype.options')
  if vim.fn.has('nvim-0.10') == 0 then
    vim.notify('Foretype needs Neovim 0.10 or later.', vim.log.levels.ERROR)
    return
  end
  local resolved, problems = options.resolve(given)
  options.current = resolved
  if #problems > 0 then
    vim.notify('Foretype: ' .. table.concat(problems, '\n'), vim.log.levels.WARN)
  end
  require('foretype.keymaps').set(resolved.keymaps)
  if vim.lsp.config then
    vim.lsp.config('foretype', require('foretype.server').config())
  end
  if resolved.autostart then
    require('foretype.attach').autostart()
  end
end

--- Take what is shown, or its first word or line.
---@param part? foretype.Part
---@return boolean whether there was a suggestion
function M.accept(part)
  local native = require('foretype.native')
  if native.wanted() then
    return (part == nil or part == 'all') and native.accept()
  end
  return require('foretype.accept').accept(part)
end

---@param step integer
---@return boolean
local function cycle(step)
  local native = require('foretype.native')
  if native.wanted() then
    return native.cycle(step)
  end
  local buf = vim.api.nvim_get_current_buf()
  if not require('foretype.server').client(buf) or not require('foretype.switch').allows(buf) then
    return false
  end
  local engine = require('foretype.engine')
  if not engine.cycle(step) then
    engine.invoke()
  end
  return true
end

--- The next suggestion; where there is none, ask for one.
---@return boolean whether that is possible here
function M.next()
  return cycle(1)
end

--- The previous suggestion; where there is none, ask for one.
---@return boolean whether that is possible here
function M.previous()
  return cycle(-1)
end

--- Take the suggestion off the screen until the next key.
---@return boolean whether there was one
function M.dismiss()
  return require('foretype.engine').dismiss()
end

--- Whether a suggestion is on screen.
---@return boolean
function M.is_visible()
  return require('foretype.engine').visible()
end

--- One word for the status line: `Foretype local`; empty where the server does not run.
---@return string
function M.statusline()
  return require('foretype.status').statusline()
end

--- Switch suggestions off or on; a sentence says what holds now.
---@param scope? 'all'|'filetype'|'buffer'
---@return string
function M.toggle(scope)
  local buf = vim.api.nvim_get_current_buf()
  local sentence = require('foretype.switch').toggle(scope or 'all', buf)
  local native = require('foretype.native')
  if native.wanted() then
    for _, client in ipairs(require('foretype.server').clients()) do
      for each in pairs(client.attached_buffers) do
        native.enable(each, require('foretype.switch').allows(each))
      end
    end
  elseif not require('foretype.switch').allows(buf) then
    require('foretype.engine').clear('switched off')
  end
  vim.cmd.redrawstatus({ bang = true })
  return sentence
end

return M
