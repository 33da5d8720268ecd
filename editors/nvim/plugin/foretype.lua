-- The command, and the start of everything else once the server is attached; nothing is loaded before.
if vim.g.loaded_foretype or vim.fn.has('nvim-0.10') == 0 then
  return
end
vim.g.loaded_foretype = true

vim.api.nvim_create_user_command('Foretype', function(args)
  require('foretype.command').run(args)
end, {
  nargs = '*',
  desc = 'Foretype: status, toggle, stats, log, explain',
  complete = function(lead, line)
    return require('foretype.command').complete(lead, line)
  end,
})

vim.api.nvim_create_autocmd('LspAttach', {
  group = vim.api.nvim_create_augroup('foretype_attach', { clear = true }),
  callback = function(args)
    local client = vim.lsp.get_client_by_id(args.data.client_id)
    if client and client.name == 'foretype' then
      require('foretype.attach').attached(args.buf)
    end
  end,
})
