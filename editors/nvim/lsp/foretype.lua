-- For `vim.lsp.enable('foretype')` (Neovim 0.11 and later).
return require('foretype.server').config()
