--- The first word and the first line of a suggestion, for taking it piece by piece; pure.
local M = {}

local WORD = '[%w_\128-\255]' -- bytes above 127 are letters of some script more often than not

--- Blank space (line breaks too) and then a word, or a run of other characters.
---@param text string not empty
---@return string
function M.word(text)
  local blank = text:match('^%s*')
  local rest = text:sub(#blank + 1)
  local word = rest:match('^' .. WORD .. '+') or rest:match('^[^%s%w_\128-\255]+') or ''
  return blank .. word
end

--- Up to the end of the line; of a text that begins with a line break, the line after it.
---@param text string not empty
---@return string
function M.line(text)
  local breaks = text:match('^\n*')
  return breaks .. text:sub(#breaks + 1):match('^[^\n]*')
end

return M
