--- Neovim 0.12's own inline completion instead of this plugin's engine: the option `renderer = "native"`.
local M = {}

---@return boolean
function M.wanted()
  return require('foretype.options').current.renderer == 'native' and vim.lsp.inline_completion ~= nil
end

---@param buf integer
---@param on boolean
function M.enable(buf, on)
  vim.lsp.inline_completion.enable(on, { bufnr = buf })
end

--- Take the whole suggestion; parts of it are not offered by Neovim.
---@return boolean
function M.accept()
  return vim.lsp.inline_completion.get()
end

---@param step integer
---@return boolean
function M.cycle(step)
  vim.lsp.inline_completion.select({ count = step })
  return true
end

return M
