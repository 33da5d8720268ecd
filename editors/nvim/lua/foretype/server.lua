--- The language server for Neovim's LSP client: its configuration, its messages, and calls that fit every version.
local journal = require('foretype.journal')
local options = require('foretype.options')
local status = require('foretype.status')

local M = {}

M.NAME = 'foretype'

local METHODS = vim.fn.has('nvim-0.11') == 1 -- client:request(...) instead of client.request(...)

--- LSP's language ids where Neovim's file type has another name.
local LANGUAGE_IDS = {
  cs = 'csharp',
  make = 'makefile',
  objc = 'objective-c',
  sh = 'shellscript',
  bash = 'shellscript',
  zsh = 'shellscript',
  tex = 'latex',
  text = 'plaintext',
}

local MESSAGE_LEVELS = { 'error', 'warning' } -- LSP's MessageType; the others are information

---@param result any
local function log_message(_, result)
  if type(result) == 'table' and type(result.message) == 'string' then
    journal.add(MESSAGE_LEVELS[result.type] or 'info', result.message)
  end
end

--- The configuration for `vim.lsp.start`, and for `lsp/foretype.lua`.
---@return table vim.lsp.ClientConfig
function M.config()
  local current = options.current
  local given = current.settings or {}
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  return {
    name = M.NAME,
    cmd = current.cmd,
    cmd_env = current.cmd_env,
    filetypes = current.filetypes,
    root_markers = { '.foretype.toml', '.git' },
    capabilities = capabilities,
    -- Only what the user set: an explicit `enabled = true` would outweigh a project's false.
    init_options = next(given) and given or nil,
    settings = { foretype = vim.empty_dict() },
    get_language_id = function(_, filetype)
      return LANGUAGE_IDS[filetype] or filetype
    end,
    handlers = {
      ['foretype/status'] = function(_, result)
        if type(result) == 'table' and type(result.state) == 'string' then
          status.set(result.state, result.detail)
        end
      end,
      ['window/logMessage'] = log_message,
      ['window/showMessage'] = log_message,
    },
    on_init = function()
      status.set('starting', 'The language server looks for what can answer.')
      if not require('foretype.switch').is_on() then
        vim.schedule(function()
          M.tell_enabled(false)
        end)
      end
    end,
    on_exit = function(code, signal)
      if code ~= 0 then
        journal.add('error', ('The language server ended with exit code %d, signal %d.'):format(code, signal))
      end
      status.set('stopped', ('The language server ended (exit code %d).'):format(code))
    end,
    on_error = function(code, err)
      journal.add('error', ('%s: %s'):format(code, vim.inspect(err)))
    end,
  }
end

--- Start the server for a buffer, or attach it to the one that runs.
---@param buf integer
function M.start(buf)
  local current = options.current
  local wanted = not current.filetypes or vim.tbl_contains(current.filetypes, vim.bo[buf].filetype)
  if vim.bo[buf].buftype ~= '' or not wanted then
    return
  end
  if vim.fn.executable(current.cmd[1]) == 0 then
    journal.add('error', ('%s is not an executable; see :checkhealth foretype.'):format(current.cmd[1]))
    status.set('error', ('%s is not an executable.'):format(current.cmd[1]))
    return
  end
  local config = M.config()
  config.root_dir = vim.fs.root(buf, config.root_markers)
  config.root_markers, config.filetypes = nil, nil -- of `vim.lsp.config`, not of `vim.lsp.start`
  vim.lsp.start(config, {
    bufnr = buf,
    reuse_client = function(client, asked)
      return client.name == asked.name and client.config.root_dir == asked.root_dir
    end,
  })
end

--- The buffer's client, if the server is attached to it.
---@param buf integer
---@return table? vim.lsp.Client
function M.client(buf)
  return vim.lsp.get_clients({ bufnr = buf, name = M.NAME })[1]
end

--- Every running client of ours.
---@return table[] vim.lsp.Client[]
function M.clients()
  return vim.lsp.get_clients({ name = M.NAME })
end

--- Send a request. `buf` is the real buffer number, so that its pending changes go first; 0 does not do that on 0.10.
---@param client table
---@param method string
---@param params table
---@param handler fun(err: table?, result: any)
---@param buf? integer
---@return integer? id nil if it was not sent
function M.request(client, method, params, handler, buf)
  local sent, id
  if METHODS then
    sent, id = client:request(method, params, handler, buf)
  else
    sent, id = client.request(method, params, handler, buf)
  end
  return sent and id or nil
end

---@param client table
---@param method string
---@param params table
function M.notify(client, method, params)
  if METHODS then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

---@param client table
---@param id integer
function M.cancel(client, id)
  -- Neovim's own cancel_request waits for nothing either; a request that was answered meanwhile is no fault.
  if METHODS then
    client:cancel_request(id)
  else
    client.cancel_request(id)
  end
end

--- Switch the server off or on as well: it would go on preparing suggestions at pauses in typing.
---@param on boolean
function M.tell_enabled(on)
  for _, client in ipairs(M.clients()) do
    local section = on and vim.empty_dict() or { enabled = false }
    client.settings.foretype = section
    M.notify(client, 'workspace/didChangeConfiguration', { settings = { foretype = section } })
  end
end

return M
