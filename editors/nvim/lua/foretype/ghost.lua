--- The renderer: one extmark holds the whole suggestion, so that it is replaced in one step and never flickers.
local M = {}

local NAMESPACE = vim.api.nvim_create_namespace('foretype')
local MARK = 1 -- setting an extmark of the same id replaces it
local MAX_LINES = 100 -- more than any screen shows below the cursor

M.HIGHLIGHT = 'ForetypeSuggestion'

--- Make the highlight group unless the user or the colour scheme has.
function M.define_highlight()
  vim.api.nvim_set_hl(0, M.HIGHLIGHT, { default = true, link = 'Comment' })
end

--- `line` with its tabs as spaces, for virtual text shows none. `from`: the screen column at which it begins.
---@param line string
---@param from integer
---@param tabstop integer
---@return string
function M.expand_tabs(line, from, tabstop)
  if not line:find('\t', 1, true) then
    return line
  end
  local out, column = {}, from
  for piece, tab in (line .. '\0'):gmatch('([^\t%z]*)([\t%z])') do
    out[#out + 1] = piece
    column = column + vim.fn.strdisplaywidth(piece, column)
    if tab == '\t' then
      local width = tabstop - column % tabstop
      out[#out + 1] = (' '):rep(width)
      column = column + width
    end
  end
  return table.concat(out)
end

--- Show `text` at the cursor's place, in place of what is shown in the buffer.
---@param buf integer
---@param row integer
---@param col integer bytes
---@param text string not empty
function M.show(buf, row, col, text)
  local lines = vim.split(text, '\n', { plain = true })
  local tabstop = vim.bo[buf].tabstop
  local before = vim.api.nvim_buf_get_text(buf, row, 0, row, col, {})[1]
  local first = M.expand_tabs(lines[1], vim.fn.strdisplaywidth(before), tabstop)
  local below = {}
  for i = 2, math.min(#lines, MAX_LINES) do
    below[#below + 1] = { { M.expand_tabs(lines[i], 0, tabstop), M.HIGHLIGHT } }
  end
  vim.api.nvim_buf_set_extmark(buf, NAMESPACE, row, col, {
    id = MARK,
    virt_text = { { first, M.HIGHLIGHT } },
    virt_text_pos = 'inline',
    virt_lines = #below > 0 and below or nil,
    hl_mode = 'combine',
    undo_restore = false,
  })
end

---@param buf integer
function M.hide(buf)
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_del_extmark(buf, NAMESPACE, MARK)
  end
end

return M
