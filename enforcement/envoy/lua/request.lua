-- What a request says about itself: the attributes of its body, as enforcement/reading.py reads them.

local match = string.match
local WANTED = {}
for _, name in ipairs({ "model", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens", "tools",
  "functions", "web_search_options", "mcp_servers", "store", "previous_response_id", "conversation", "logprobs",
  "top_logprobs", "include" }) do WANTED[name] = true end
local AMOUNTS = { "max_tokens", "max_completion_tokens", "max_output_tokens" }
local BY_FIELD = {
  { "stream", "streaming" }, { "web_search_options", "web_search" }, { "mcp_servers", "mcp" }, { "store", "memory" },
  { "previous_response_id", "memory" }, { "conversation", "memory" }, { "logprobs", "logprobs" },
  { "top_logprobs", "logprobs" },
}
local BY_TOOL = {
  { "web_search", "web_search" }, { "code_interpreter", "code_execution" }, { "code_execution", "code_execution" },
  { "file_search", "file_search" }, { "computer", "computer_use" }, { "mcp", "mcp" }, { "memory", "memory" },
}

local function invalid(message)
  error({ code = "invalid_request", message = message }, 0)
end

-- U+017F and U+212A are s and k to readers that ignore case, as some servers do. The usual names are known.
local USUAL = { messages = true, input = true, prompt = true, temperature = true, top_p = true, n = true, stop = true,
  user = true, system = true, instructions = true, metadata = true, response_format = true, tool_choice = true,
  seed = true, stream_options = true, reasoning = true, encoding_format = true }
local function refuse_other_case(key, names)
  local folded = lower((gsub(gsub(key, "\197\191", "s"), "\226\132\170", "k")))
  if names[folded] then bad("a name that differs from " .. folded .. " by case only") end
end

-- What decides here, and what the content filter goes by: the same names as in enforcement/filter/spelling.py.
local GUARDED = { n = true, best_of = true, response_format = true, text = true, messages = true, input = true,
  prompt = true, system = true, instructions = true, suffix = true, prediction = true }
for name in pairs(WANTED) do GUARDED[name] = true end

local function guard(key)
  if not (WANTED[key] or USUAL[key]) then refuse_other_case(key, GUARDED) end
end

local OF_TOOL = { type = true, name = true, ["function"] = true, custom = true }
local function guard_members(object)
  for key in pairs(object) do
    if not OF_TOOL[key] then refuse_other_case(key, OF_TOOL) end
  end
end

local function add_name(tools, value)
  if type(value) == "string" and value ~= "function" and value ~= "custom" then tools[#tools + 1] = value end
end

-- Every name under which a model could know the tool: its own, its function's, or its type when that says it all.
local function add_tool(tools, tool)
  if type(tool) ~= "table" or tool == NULL or getmetatable(tool) == ARRAY then invalid("A tool must be an object.") end
  guard_members(tool)
  local before = #tools
  add_name(tools, tool.type)
  if type(tool.name) == "string" then tools[#tools + 1] = tool.name end
  for _, inner in ipairs({ tool["function"] or NULL, tool.custom or NULL }) do
    if type(inner) == "table" and getmetatable(inner) ~= ARRAY then
      guard_members(inner)
      if type(inner.name) == "string" then tools[#tools + 1] = inner.name end
    end
  end
  if #tools == before then tools[#tools + 1] = "unnamed" end
end

local function add_tools(tools, list, label)
  if list == nil or list == NULL then return end
  if getmetatable(list) ~= ARRAY then invalid(label .. " must be a list.") end
  for _, tool in ipairs(list) do add_tool(tools, tool) end
end

local function offered(body)
  if not (body.tools or body.functions or body.mcp_servers or body.web_search_options) then return NONE end
  local tools = {}
  add_tools(tools, body.tools, "tools")
  add_tools(tools, body.functions, "functions")
  add_tools(tools, body.mcp_servers, "mcp_servers")
  if body.mcp_servers and body.mcp_servers ~= NULL and #body.mcp_servers > 0 then tools[#tools + 1] = "mcp" end
  if body.web_search_options and body.web_search_options ~= NULL then tools[#tools + 1] = "web_search" end
  return tools
end

-- There, and neither null, false, zero, nor an empty text or list. An empty object asks for the defaults.
local function is_used(value)
  return value ~= nil and value ~= NULL and value ~= false and value ~= 0 and value ~= ""
    and not (getmetatable(value) == ARRAY and #value == 0)
end

local function by_tool(used, tools)
  for _, tool in ipairs(tools) do
    for _, kind in ipairs(BY_TOOL) do
      if type(tool.type) == "string" and sub(tool.type, 1, #kind[1]) == kind[1] then used[kind[2]] = true end
    end
  end
end

-- Zero is a number of alternatives: the token's own comes all the same. include may ask for it, too.
local function asks_for_logprobs(body)
  if type(body.logprobs) == "number" then return true end
  if getmetatable(body.include) ~= ARRAY then return false end
  for _, each in ipairs(body.include) do
    if type(each) == "string" and sub(each, -8) == "logprobs" then return true end
  end
  return false
end

local function features_of(body)
  local used
  for i = 1, #BY_FIELD do
    if is_used(body[BY_FIELD[i][1]]) then
      used = used or {}
      used[BY_FIELD[i][2]] = true
    end
  end
  if body.tools and body.tools ~= NULL then
    used = used or {}
    by_tool(used, body.tools)
  end
  if asks_for_logprobs(body) then
    used = used or {}
    used.logprobs = true
  end
  if not used then return NONE end
  local found = {}
  for name in pairs(used) do found[#found + 1] = name end
  return found
end

local function most_tokens(body)
  local most
  for i = 1, #AMOUNTS do
    local value = body[AMOUNTS[i]]
    if value ~= nil and value ~= NULL then
      if type(value) ~= "number" or value % 1 ~= 0 or value < 0 or value > 1e9 then
        invalid(AMOUNTS[i] .. " must be a whole number.")
      end
      if not most or value > most then most = value end
    end
  end
  return most
end

local function read(raw)
  local body = read_object(raw, WANTED, guard)
  if type(body.model) ~= "string" or body.model == "" or #body.model > 200 then
    invalid("model must be a name of at most 200 bytes.")
  end
  if body.stream ~= nil and body.stream ~= NULL and type(body.stream) ~= "boolean" then
    invalid("stream must be true or false.")
  end
  return { model = body.model, stream = body.stream == true, tools = offered(body), features = features_of(body),
    max_tokens = most_tokens(body), body_bytes = #raw }
end

-- A pattern tried at every byte of a body would cost ten times as much as the rest of a glance.
local function says_stream(raw)
  local at, to = find(raw, '"stream"', 1, true)
  while at and not match(raw, "^%s*:%s*true", to + 1) do at, to = find(raw, '"stream"', to + 1, true) end
  return at ~= nil
end

-- Where nothing in the policy asks for the body, the model is only noted: the first one that meets the eye.
local function glance(raw)
  local at = find(raw, '"model"', 1, true)
  local model = at and match(raw, '^%s*:%s*"([^"\\]*)"', at + 7) or ""
  return { model = sub(model, 1, 200), stream = says_stream(raw), tools = NONE, features = NONE, body_bytes = #raw,
    unread = true }
end
