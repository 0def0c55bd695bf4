-- One request: read its attributes, decide, then refuse it, send it by the content filter, or let it through.
-- Envoy lets a request pass when a script fails, so everything runs under pcall and a failure is a refusal; and a
-- request that no script has given a route has nowhere to go, or is refused behind it (listener.py: _unheard).

local PATHS = {}
for name, path in pairs(DATA.endpoints) do PATHS[path] = name end

local function answer(h, status, body, more)
  local headers = { [":status"] = status, ["content-type"] = "application/json" }
  for name, value in pairs(more or {}) do headers[name] = value end
  h:respond(headers, body)
end

local function complain(h, status, code, message)
  answer(h, status, '{"error":{"message":' .. quote(message) ..
    ',"type":"invalid_request_error","param":null,"code":"' .. code .. '"}}')
end

local FIELDS = "^([^;]*);([^;]*);([^;]*);([^;]*);([^;]*);([^;]*);(%d+);([^;]*);([^;]*);([^;]*);([^;]*)$"

-- A caller may declare what its key is registered for, and nothing else.
local function declare(who, declared, choices)
  if not declared or declared == "" or declared == who.use_case then return end
  if not find("|" .. choices .. "|", "|" .. declared .. "|", 1, true) or find(declared, "|", 1, true) then
    invalid("irapp-use-case names a use case that this key is not registered for.")
  end
  who.use_case = declared
end

local function list(values)
  local quoted = {}
  for i = 1, math.min(#values, 64) do quoted[i] = quote(sub(values[i], 1, 200)) end
  return "[" .. table.concat(quoted, ",") .. "]"
end

local function optional(name, value)
  return value ~= "" and ',"' .. name .. '":' .. quote(value) or ""
end

local function make(endpoint, line, declared)
  local mark, user, organisation, key, application, use_case, bucket, region, tier, platform, choices = match(line, FIELDS)
  if not user then error("no identity") end
  local busy = sub(mark, -1) == DATA.busy
  if busy then mark = sub(mark, 1, -2) end
  local who = { endpoint = endpoint, user = user, organisation = organisation, key = key, application = application,
    use_case = use_case, bucket = tonumber(bucket), region = region, tier = tier, platform = platform, all = "all",
    past = mark == DATA.mark and not declared, busy = busy }
  declare(who, declared, choices)
  who.note = '{"user":' .. quote(user) .. ',"organisation":' .. quote(organisation) .. ',"key":' .. quote(key)
    .. ',"application":' .. quote(application) .. ',"use_case":' .. quote(who.use_case)
    .. optional("region", region) .. optional("tier", tier) .. optional("platform", platform)
    .. (DATA.number and ',"policy":' .. string.format("%d", DATA.number) or "")
    .. ',"endpoint":"' .. endpoint .. '","model":'
  return who
end

local function ids(corrections)
  local found = {}
  for i, c in ipairs(corrections) do found[i] = c.id end
  return found
end

-- The attributes for the access log: never content. 200 bytes of a name may end inside a character.
local function note(h, who, a, verdict, probe)
  local model = DATA.models[a.model]
  local line = who.note .. (model and model.quoted or quote(a.model)) .. ',"stream":' .. tostring(a.stream)
    .. ',"max_tokens":' .. (a.max_tokens and string.format("%d", a.max_tokens) or "null")
    .. (a.body_bytes and ',"body_bytes":' .. string.format("%d", a.body_bytes) or "")
  if #a.tools > 0 then line = line .. ',"tools":' .. list(a.tools) end
  if #a.features > 0 then line = line .. ',"features":' .. list(a.features) end
  if #verdict.shadow > 0 then line = line .. ',"shadow":' .. list(verdict.shadow) end
  if #verdict.warnings > 0 then line = line .. ',"warned":' .. list(ids(verdict.warnings)) end
  if a.weight > 1 then line = line .. ',"weight":' .. a.weight end
  h:streamInfo():dynamicMetadata():set("irapp", "request", line .. (probe and ',"probe":true}' or "}"))
end

local function refuse(h, c, probe)
  answer(h, c.status, c.body, {
    ["x-irapp-correction"] = c.id, ["retry-after"] = c.retry_after,
    ["x-irapp-policy"] = probe and DATA.version or nil,
  })
end

-- Tell in the answer what will be refused from when on; the listener makes a header of it.
local function warn(h, warnings)
  local told = {}
  for i, c in ipairs(warnings) do told[i] = c.warning end
  h:streamInfo():dynamicMetadata():set("irapp", "warning", table.concat(told, ", "))
end

-- A probe is counted by the one limit that it tests, as a subject of its own, and by no other.
local function charge(headers, who, verdict, probe)
  for _, c in ipairs(verdict.limits) do
    if not probe then
      headers:replace(c.header, who[c.per])
    elseif c.id == headers:get("irapp-probe-limit") then
      headers:replace(c.header, "probe;" .. probe)
    end
  end
  headers:replace("x-irapp-hits", probe and headers:get("irapp-probe-hits") or "1")
  local floor = probe and headers:get("irapp-probe-floor")
  if floor then headers:replace("x-irapp-floor-hits", floor) end
end

local TOLD = { user = "x-irapp-user", organisation = "x-irapp-organisation", key = "x-irapp-key",
  application = "x-irapp-application", use_case = "x-irapp-use-case", endpoint = "x-irapp-endpoint",
  region = "x-irapp-region", tier = "x-irapp-tier", platform = "x-irapp-platform" }

local function through_filter(headers, who, probe)
  for name, header in pairs(TOLD) do headers:replace(header, who[name]) end
  headers:replace("x-irapp-secret", DATA.secret)
  headers:replace("x-irapp-route", "filter")
  if probe then
    headers:replace("x-irapp-probe", "content")
    headers:replace("x-irapp-policy", DATA.version)
  end
end

local function by_filter(a, verdict)
  local model = DATA.models[a.model]
  return verdict.content or (a.stream and model and model.filtered)
end

-- Headers taken before the body was awaited are void: they are asked for again.
local function pass(h, who, a, verdict, probe)
  local headers, model = h:headers(), DATA.models[a.model]
  if #verdict.limits > 0 then charge(headers, who, verdict, probe) end
  if #verdict.warnings > 0 then warn(h, verdict.warnings) end
  if by_filter(a, verdict) then
    through_filter(headers, who, probe)
  elseif probe then
    headers:replace("x-irapp-probe", "answer")
    headers:replace("x-irapp-route", DATA.version)
  elseif not (model or a.unread) then
    return complain(h, "404", "model_not_found", "This gateway serves no model of that name.")
  else
    headers:replace("x-irapp-route", model and model.cluster or "only")
    if DATA.routed then return end
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

local function body_of(h)
  local buffer = h:body()
  local length = buffer and buffer:length() or 0
  return length > 0 and buffer:getBytes(0, length) or ""
end

-- By lot: whoever asks in a pattern would always have the same of its requests noted in turn.
local function chosen_here()
  return math.random(DATA.sample) == 1
end

-- For how many requests this one is noted, if it is. Of a caller whom no correction can reach, where the body decides
-- nothing, it is one of several; and of those whom Envoy lets past by their mark, Envoy has chosen that one already.
local function noted_for(who, chosen)
  if not who.untouched then return 1 end
  if chosen then return who.busy and DATA.busy_sample or DATA.sample end
  return chosen_here() and DATA.sample or 0
end

-- Of a busy caller, whatever is read of the request, one of several of which nothing became says as much as all. What
-- goes by the content filter may still become something there, which counts on its having been noted.
local function weigh(who, a, verdict, probe)
  if probe or a.weight ~= 1 or not who.busy or verdict.refusal or by_filter(a, verdict) then return end
  if #verdict.limits + #verdict.shadow + #verdict.warnings > 0 then return end
  a.weight = chosen_here() and DATA.sample or 0
end

-- Strictly where the verdict or the route depends on the body; else a glance at the model is enough.
local function attributes(h, headers, who)
  if not who.asks_body then return glance(body_of(h)) end
  local encoding = headers:get("content-encoding")
  if encoding and lower(encoding) ~= "identity" then bad("compressed bodies are not read") end
  return read(body_of(h))
end

-- Only the key that the agent made for itself may speak for another identity.
local function identify(headers, endpoint)
  local line, probe = headers:get("x-irapp-client") or "", nil
  if line == "-probe" then
    line, probe = "-;" .. (headers:get("irapp-probe") or ""), headers:get("irapp-probe-id") or "-"
  end
  return known(endpoint, line, headers:get("irapp-use-case"), make), probe
end

local function serve(h)
  local headers = h:headers()
  local path = headers:get(":path") or ""
  local endpoint = headers:get(":method") == "POST" and (PATHS[path] or PATHS[match(path, "^[^?]*")])
  if not endpoint then
    if headers:get(":method") == "GET" and match(path, "^[^?]*") == "/v1/models" then
      return answer(h, "200", DATA.model_list)
    end
    return complain(h, "404", "not_found", "This gateway does not serve this path.")
  end
  local who, probe = identify(headers, endpoint)
  local weight = probe and 1 or noted_for(who, who.past and PATHS[path])
  if weight == 0 then return headers:replace("x-irapp-route", "only") end
  local a = attributes(h, headers, who)
  a.weight = weight
  if closed(a) then
    note(h, who, a, NOTHING, probe)
    return answer(h, "503", DATA.closed_body, { ["x-irapp-policy"] = probe and DATA.version or nil })
  end
  local verdict = decide(who, a, DATA.timed and now(h) or 0)
  weigh(who, a, verdict, probe)
  if a.weight > 0 then note(h, who, a, verdict, probe) end
  if verdict.refusal then return refuse(h, CORRECTIONS[verdict.refusal], probe) end
  pass(h, who, a, verdict, probe)
end

function envoy_on_request(h)
  local done, why = pcall(serve, h)
  if done then return end
  if type(why) == "table" then return complain(h, "400", why.code, why.message) end
  h:logErr("decision failed: " .. tostring(why))
  answer(h, "503", DATA.failed_body)
end
