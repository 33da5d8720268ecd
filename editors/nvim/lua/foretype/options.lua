--- The options of `setup`: their types, their defaults, and a clear sentence for whatever is wrong with them.
local M = {}

--- Keys in Insert mode; false for none. Each does what it did before where there is no suggestion.
---@class foretype.Keymaps
---@field accept? string|false
---@field accept_word? string|false
---@field accept_line? string|false
---@field next? string|false asks for a suggestion where there is none
---@field previous? string|false
---@field dismiss? string|false

---@class foretype.Options
---@field enabled? boolean whether this plugin asks at all; `:Foretype toggle` changes it
---@field cmd? string[] the command line of the language server
---@field cmd_env? table<string, string> environment of the language server
---@field autostart? boolean false if you call `vim.lsp.enable('foretype')` yourself
---@field filetypes? string[] file types to start in; nil for all
---@field renderer? 'own'|'native' 'native' is Neovim 0.12's inline completion
---@field popup? 'hide'|'show' what becomes of a suggestion while a completion menu is open
---@field keymaps? foretype.Keymaps|false
---@field settings? table<string, any> of the language server; only what you set is sent

---@type foretype.Options
M.DEFAULTS = {
  enabled = true,
  cmd = { 'foretype-lsp', '--stdio' },
  cmd_env = nil,
  autostart = true,
  filetypes = nil,
  renderer = 'own',
  popup = 'hide',
  keymaps = {
    accept = '<Tab>',
    accept_word = '<C-Right>',
    accept_line = '<C-Down>',
    next = '<M-]>',
    previous = '<M-[>',
    dismiss = '<C-]>',
  },
  settings = {},
}

---@alias foretype.Check fun(value: any): boolean

---@type foretype.Check
local function is_strings(value)
  if type(value) ~= 'table' then
    return false
  end
  for key, item in pairs(value) do
    if type(key) ~= 'number' or type(item) ~= 'string' then
      return false
    end
  end
  return true
end

---@type foretype.Check
local function is_environment(value)
  if type(value) ~= 'table' then
    return false
  end
  for key, item in pairs(value) do
    if type(key) ~= 'string' or type(item) ~= 'string' then
      return false
    end
  end
  return true
end

---@return foretype.Check
local function one_of(...)
  local allowed = { ... }
  return function(value)
    return vim.tbl_contains(allowed, value)
  end
end

---@param name string
---@return foretype.Check
local function is_a(name)
  return function(value)
    return type(value) == name
  end
end

---@type table<string, { [1]: foretype.Check, [2]: string }>
local RULES = {
  enabled = { is_a('boolean'), 'true or false' },
  cmd = {
    function(value)
      return is_strings(value) and #value > 0
    end,
    'a list of texts such as { "foretype-lsp", "--stdio" }',
  },
  cmd_env = { is_environment, 'a table of texts by name' },
  autostart = { is_a('boolean'), 'true or false' },
  filetypes = { is_strings, 'a list of file types' },
  renderer = { one_of('own', 'native'), '"own" or "native"' },
  popup = { one_of('hide', 'show'), '"hide" or "show"' },
  keymaps = {
    function(value)
      return value == false or type(value) == 'table'
    end,
    'a table or false',
  },
  settings = { is_a('table'), "a table of the language server's settings" },
}

---@param names table<string, any>
---@return string
local function listed(names)
  local keys = vim.tbl_keys(names)
  table.sort(keys)
  return table.concat(keys, ', ')
end

local KEYMAPS = M.DEFAULTS.keymaps --[[@as foretype.Keymaps]]

--- What is wrong with the options of a user, as sentences; a wrong one keeps its default.
---@param given any
---@return foretype.Options options
---@return string[] problems
function M.resolve(given)
  local options, problems = vim.deepcopy(M.DEFAULTS), {}
  if given ~= nil and type(given) ~= 'table' then
    return options, { ('setup() takes a table, not a %s; the defaults are used.'):format(type(given)) }
  end
  for name, value in pairs(given or {}) do
    local rule = RULES[name]
    if not rule then
      problems[#problems + 1] = ('`%s` is not an option; known are %s.'):format(tostring(name), listed(RULES))
    elseif not rule[1](value) then
      problems[#problems + 1] = ('`%s` is %s; it must be %s. The default is used.'):format(
        name,
        vim.inspect(value):sub(1, 60),
        rule[2]
      )
    elseif name ~= 'keymaps' or value == false then
      options[name] = value
    else
      for action, key in pairs(value) do
        if KEYMAPS[action] == nil then
          problems[#problems + 1] = ('`keymaps.%s` is not an option; known are %s.'):format(
            tostring(action),
            listed(KEYMAPS)
          )
        elseif key ~= false and (type(key) ~= 'string' or key == '') then
          problems[#problems + 1] = ('`keymaps.%s` must be a key such as "<Tab>", or false.'):format(action)
        else
          options.keymaps[action] = key
        end
      end
    end
  end
  if options.renderer == 'native' and vim.fn.has('nvim-0.12') == 0 then
    problems[#problems + 1] = '`renderer = "native"` needs Neovim 0.12; the own renderer is used.'
    options.renderer = 'own'
  end
  table.sort(problems)
  return options, problems
end

--- The options in use; those of the last `setup`.
---@type foretype.Options
M.current = vim.deepcopy(M.DEFAULTS)

return M
