--- Where this plugin asks for suggestions: everywhere, by file type and by buffer, as the person switched it.
local M = {}

---@type boolean?
local everywhere = nil -- nil: as the option `enabled` says
---@type table<string, boolean>
local off_filetypes = {}
---@type table<integer, boolean>
local off_buffers = {}

---@return boolean
function M.is_on()
  if everywhere == nil then
    return require('foretype.options').current.enabled ~= false
  end
  return everywhere
end

---@param buf integer
---@return boolean
function M.allows(buf)
  return M.is_on() and not off_buffers[buf] and not off_filetypes[vim.bo[buf].filetype]
end

--- Switch over. A sentence says what holds now.
---@param scope 'all'|'filetype'|'buffer'
---@param buf integer
---@return string
function M.toggle(scope, buf)
  if scope == 'buffer' then
    off_buffers[buf] = not off_buffers[buf] or nil
    return off_buffers[buf] and 'Suggestions are off in this buffer.' or 'Suggestions are on in this buffer.'
  elseif scope == 'filetype' then
    local filetype = vim.bo[buf].filetype
    off_filetypes[filetype] = not off_filetypes[filetype] or nil
    local name = filetype == '' and 'buffers without a file type' or filetype
    return ('Suggestions are %s in %s.'):format(off_filetypes[filetype] and 'off' or 'on', name)
  end
  everywhere = not M.is_on()
  require('foretype.server').tell_enabled(everywhere)
  return everywhere and 'Suggestions are on.' or 'Suggestions are off.'
end

--- A buffer was wiped; its number may be used again.
---@param buf integer
function M.forget(buf)
  off_buffers[buf] = nil
end

return M
