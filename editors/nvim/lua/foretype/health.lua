--- `:checkhealth foretype`
local M = {}

local VERSION_MS = 10000 -- a Python program on a cold disk

function M.check()
  local health, options = vim.health, require('foretype.options').current
  health.start('Neovim')
  if vim.fn.has('nvim-0.10') == 0 then
    health.error('Foretype needs Neovim 0.10 or later.')
    return
  end
  health.ok(('Neovim %s; suggestions are drawn by %s.'):format(
    tostring(vim.version()),
    require('foretype.native').wanted() and 'Neovim (renderer = "native")' or 'this plugin'
  ))

  health.start('Language server')
  local program = options.cmd[1]
  if vim.fn.executable(program) == 0 then
    health.error(('%s is not an executable.'):format(program), {
      "Install it (`pipx install 'CLONE[local]'`), or give its path in the option `cmd`.",
    })
  else
    local ok, done = pcall(function()
      return vim.system({ program, '--version' }, { text = true }):wait(VERSION_MS)
    end)
    if ok and done.code == 0 then
      health.ok(('%s: %s'):format(vim.fn.exepath(program), vim.trim(done.stdout or '')))
    else
      health.error(('%s --version fails.'):format(program), { 'Run it in a terminal to see why.' })
    end
  end
  local clients = require('foretype.server').clients()
  if #clients == 0 then
    health.warn('The language server does not run.', {
      "Call require('foretype').setup{} and open a file with a file type, or vim.lsp.enable('foretype').",
    })
  else
    local status = require('foretype.status').current
    local tell = status.state == 'error' and health.error or health.ok
    tell(('%s. %s'):format(status.state, status.detail))
    health.info(('%d running, positions in %s.'):format(#clients, clients[1].offset_encoding))
  end
  if not require('foretype.switch').is_on() then
    health.warn('Suggestions are switched off.', { ':Foretype toggle' })
  end

  health.start('Keys and neighbours')
  local overridden = require('foretype.keymaps').overridden()
  if #overridden > 0 then
    health.warn('Mapped by something else since: ' .. table.concat(overridden, ', '), {
      'Call setup later, or let your mapping call require("foretype").accept(), which returns whether it acted.',
    })
  else
    health.ok('No key of ours is mapped by something else.')
  end
  for module, name in pairs({ cmp = 'nvim-cmp', ['blink.cmp'] = 'blink.cmp' }) do
    if package.loaded[module] then
      health.info(('%s is there; suggestions are %s while its menu is open.'):format(
        name,
        options.popup == 'show' and 'shown' or 'hidden'
      ))
    end
  end
  for module, name in pairs({ copilot = 'copilot.lua', supermaven = 'supermaven', codeium = 'codeium' }) do
    if package.loaded[module] then
      health.warn(('%s shows ghost text as well.'):format(name), { 'Switch one of them off.' })
    end
  end
end

return M
