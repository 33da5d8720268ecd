--- Whether a completion menu is open: Neovim's own, nvim-cmp's or blink.cmp's; none of them is loaded by asking.
local M = {}

--- Calls of other people's plugins: one that fails must not cost a keystroke.
---@param name string module
---@param ask string name of a function without arguments
---@return boolean
local function says(name, ask)
  local module = package.loaded[name]
  if type(module) ~= 'table' then
    return false
  end
  local ok, answer = pcall(function()
    return module[ask]()
  end)
  return ok and answer == true
end

---@return boolean
function M.visible()
  return vim.fn.pumvisible() == 1
    or says('cmp', 'visible')
    or says('blink.cmp', 'is_menu_visible')
    or says('blink.cmp', 'is_visible')
end

local watching_cmp = false

--- Call `changed` when a menu has opened or closed.
---@param group integer of autocommands
---@param changed fun()
function M.watch(group, changed)
  vim.api.nvim_create_autocmd({ 'CompleteChanged', 'CompleteDone' }, {
    group = group,
    callback = vim.schedule_wrap(changed), -- the menu's state is not settled within the event
  })
  vim.api.nvim_create_autocmd('User', {
    group = group,
    pattern = { 'BlinkCmpMenuOpen', 'BlinkCmpMenuClose' },
    callback = vim.schedule_wrap(changed),
  })
  vim.api.nvim_create_autocmd('InsertEnter', {
    group = group,
    callback = function()
      -- nvim-cmp is often loaded on InsertEnter, after us.
      local cmp = package.loaded.cmp
      if watching_cmp or type(cmp) ~= 'table' or type(cmp.event) ~= 'table' then
        return
      end
      watching_cmp = pcall(function()
        cmp.event:on('menu_opened', vim.schedule_wrap(changed))
        cmp.event:on('menu_closed', vim.schedule_wrap(changed))
      end)
    end,
  })
end

return M
