-- One request: read its attributes, decide, then refuse it, send it by the content filter, or let it through.
-- Envoy lets a request pass when a script fails, so everything runs under pcall and a failure is a refusal.

local PATHS = {}
for name, path in pairs(DATA.endpoints) do PATHS[path] = name end
local POLICY = build(DATA.corrections)

local WANTED = {
  model = true, stream = true, max_tokens = true, max_completion_tokens = true, max_output_tokens = true,
  tools = true, functions = true, web_search_options = true, mcp_servers = true,
}
-- U+017F and U+212A are s and k to readers that ignore case, as some servers do.
local function guard(key)
  if WANTED[key] then return end
  local folded = lower((gsub(gsub(key, "\197\191", "s"), "\226\132\170", "k")))
  if WANTED[folded] then bad("a name that differs from " .. folded .. " by case only") end
end

local function answer(h, status, body, more)
  local headers = { [":status"] = status, ["content-type"] = "application/json" }
  for name, value in pairs(more or {}) do headers[name] = value end
  h:respond(headers, body)
end

local function complain(h, status, code, message)
  answer(h, status, '{"error":{"message":' .. quote(message) ..
    ',"type":"invalid_request_error","param":null,"code":"' .. code .. '"}}')
end

local function invalid(message)
  error({ code = "invalid_request", message = message }, 0)
end

local function add_name(tools, value)
  if type(value) == "string" and value ~= "function" and value ~= "custom" then tools[#tools + 1] = value end
end

-- Every name under which a model could know the tool: its own, its function's, or its type when that says it all.
local function add_tool(tools, tool)
  if type(tool) ~= "table" or tool == NULL or getmetatable(tool) == ARRAY then invalid("A tool must be an object.") end
  local before = #tools
  add_name(tools, tool.type)
  if type(tool.name) == "string" then tools[#tools + 1] = tool.name end
  for _, inner in ipairs({ tool["function"] or NULL, tool.custom or NULL }) do
    if type(inner) == "table" and type(inner.name) == "string" then tools[#tools + 1] = inner.name end
  end
  if #tools == before then tools[#tools + 1] = "unnamed" end
end

local function add_tools(tools, list, label)
  if list == nil or list == NULL then return end
  if getmetatable(list) ~= ARRAY then invalid(label .. " must be a list.") end
  for _, tool in ipairs(list) do add_tool(tools, tool) end
end

local function offered(body)
  local tools = {}
  add_tools(tools, body.tools, "tools")
  add_tools(tools, body.functions, "functions")
  add_tools(tools, body.mcp_servers, "mcp_servers")
  if body.mcp_servers and body.mcp_servers ~= NULL and #body.mcp_servers > 0 then tools[#tools + 1] = "mcp" end
  if body.web_search_options and body.web_search_options ~= NULL then tools[#tools + 1] = "web_search" end
  return tools
end

local function most_tokens(body)
  local most
  for _, name in ipairs({ "max_tokens", "max_completion_tokens", "max_output_tokens" }) do
    local value = body[name]
    if value ~= nil and value ~= NULL then
      if type(value) ~= "number" or value % 1 ~= 0 or value < 0 or value > 1e9 then
        invalid(name .. " must be a whole number.")
      end
      if not most or value > most then most = value end
    end
  end
  return most
end

local function read_body(h, a)
  local buffer = h:body()
  local length = buffer and buffer:length() or 0
  local body = read_object(length > 0 and buffer:getBytes(0, length) or "", WANTED, guard)
  if type(body.model) ~= "string" or body.model == "" or #body.model > 200 then
    invalid("model must be a name of at most 200 bytes.")
  end
  if body.stream ~= nil and body.stream ~= NULL and type(body.stream) ~= "boolean" then
    invalid("stream must be true or false.")
  end
  a.model, a.stream = body.model, body.stream == true
  a.tools, a.max_tokens = offered(body), most_tokens(body)
end

local FIELDS = "^([^;]*);([^;]*);([^;]*);([^;]*);([^;]*);(%d+)$"

-- A probe speaks for the identity that it names; only the key that the agent made for itself may do that.
local function identify(headers)
  local client, probe = headers:get("x-irapp-client") or "", nil
  if client == "probe" then
    client, probe = headers:get("irapp-probe") or "", headers:get("irapp-probe-id") or "-"
  end
  local user, organisation, key, application, use_case, bucket = string.match(client, FIELDS)
  if not user then error("no identity") end
  return { user = user, organisation = organisation, key = key, application = application,
    use_case = use_case, bucket = tonumber(bucket), probe = probe }
end

local function list(values)
  local quoted = {}
  for i = 1, math.min(#values, 64) do quoted[i] = quote(sub(values[i], 1, 200)) end
  return "[" .. table.concat(quoted, ",") .. "]"
end

-- The attributes for the access log: never content. 200 bytes of a name may end inside a character.
local function note(h, a, verdict)
  local line = '{"user":' .. quote(a.user) .. ',"organisation":' .. quote(a.organisation) .. ',"key":' .. quote(a.key)
    .. ',"application":' .. quote(a.application) .. ',"use_case":' .. quote(a.use_case)
    .. ',"endpoint":"' .. a.endpoint .. '","model":' .. quote(a.model or "") .. ',"stream":' .. tostring(a.stream == true)
    .. ',"max_tokens":' .. (a.max_tokens and string.format("%d", a.max_tokens) or "null")
    .. (a.tools and #a.tools > 0 and ',"tools":' .. list(a.tools) or "")
    .. (verdict and #verdict.shadow > 0 and ',"shadow":' .. list(verdict.shadow) or "")
    .. (a.probe and ',"probe":true}' or "}")
  h:streamInfo():dynamicMetadata():set("irapp", "request", line)
end

local function refuse(h, a, c)
  answer(h, c.status, c.body, {
    ["x-irapp-correction"] = c.id, ["retry-after"] = c.retry_after,
    ["x-irapp-policy"] = a.probe and DATA.version or nil,
  })
end

-- A probe is counted by the one limit that it tests, as a subject of its own, and by no other.
local function charge(headers, a, verdict)
  for _, c in ipairs(verdict.limits) do
    if not a.probe then
      headers:replace(c.header, a[c.per])
    elseif c.id == headers:get("irapp-probe-limit") then
      headers:replace(c.header, "probe;" .. a.probe)
    end
  end
  if #verdict.limits > 0 then
    headers:replace("x-irapp-hits", a.probe and headers:get("irapp-probe-hits") or "1")
  end
end

local function through_filter(headers, a)
  headers:replace("x-irapp-secret", DATA.secret)
  headers:replace("x-irapp-user", a.user)
  headers:replace("x-irapp-organisation", a.organisation)
  headers:replace("x-irapp-key", a.key)
  headers:replace("x-irapp-application", a.application)
  headers:replace("x-irapp-use-case", a.use_case)
  headers:replace("x-irapp-endpoint", a.endpoint)
  headers:replace("x-irapp-route", "filter")
  if a.probe then
    headers:replace("x-irapp-probe", "content")
    headers:replace("x-irapp-policy", DATA.version)
  end
end

-- Headers taken before the body was awaited are void: they are asked for again.
local function pass(h, a, verdict)
  local headers, model = h:headers(), DATA.models[a.model]
  charge(headers, a, verdict)
  if verdict.content then
    through_filter(headers, a)
  elseif a.probe then
    headers:replace("x-irapp-probe", "answer")
    headers:replace("x-irapp-route", DATA.version)
  elseif model then
    headers:replace("x-irapp-route", model.cluster)
  else
    return complain(h, "404", "model_not_found", "This gateway serves no model of that name.")
  end
  h:clearRouteCache()
end

local function closed(a)
  local model = DATA.models[a.model]
  return DATA.closed and not (model and not model.guarded)
end

local function now(h)
  return tonumber(tostring(h:timestamp(EnvoyTimestampResolution.MILLISECOND)))
end

local function serve(h)
  local headers = h:headers()
  local method, path = headers:get(":method"), string.match(headers:get(":path") or "", "^[^?]*")
  if method == "GET" and path == "/v1/models" then return answer(h, "200", DATA.model_list) end
  local endpoint = method == "POST" and PATHS[path]
  if not endpoint then return complain(h, "404", "not_found", "This gateway does not serve this path.") end
  local a = identify(headers)
  a.endpoint = endpoint
  local encoding = headers:get("content-encoding")
  if encoding and lower(encoding) ~= "identity" then bad("compressed bodies are not read") end
  read_body(h, a)
  if closed(a) then
    note(h, a)
    return answer(h, "503", DATA.closed_body, { ["x-irapp-policy"] = a.probe and DATA.version or nil })
  end
  local verdict = decide(POLICY, a, DATA.timed and now(h) or 0)
  note(h, a, verdict)
  if verdict.refusal then return refuse(h, a, POLICY.corrections[verdict.refusal]) end
  pass(h, a, verdict)
end

function envoy_on_request(h)
  local done, why = pcall(serve, h)
  if done then return end
  if type(why) == "table" then return complain(h, "400", why.code, why.message) end
  h:logErr("decision failed: " .. tostring(why))
  answer(h, "503", DATA.failed_body)
end
