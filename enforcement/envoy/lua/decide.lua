-- The same decision as enforcement/decide.py, over tables that are indexed for look-up. Corrections arrive
-- sorted by precedence and then by id, so the refusal that counts is the one with the lowest position.

local function names(list)
  if list == nil then return nil end
  local set = {}
  for name in string.gmatch(list, "[^;]+") do set[name] = true end
  return set
end

-- One position is kept as a number and only several as a table: 100 000 subjects need no 100 000 tables.
local function index(map, list, position)
  for name in string.gmatch(list, "[^;]+") do
    local there = map[name]
    if there == nil then
      map[name] = position
    elseif type(there) == "number" then
      map[name] = { there, position }
    else
      there[#there + 1] = position
    end
  end
end

local function build(corrections)
  local by = { user = {}, organisation = {}, key = {}, model = {}, application = {}, use_case = {}, endpoint = {} }
  local always = {}
  for position, c in ipairs(corrections) do
    if c.users or c.organisations or c.keys then
      index(by.user, c.users or "", position)
      index(by.organisation, c.organisations or "", position)
      index(by.key, c.keys or "", position)
      c.users, c.organisations, c.keys = nil, nil, nil
    elseif c.models then index(by.model, c.models, position)
    elseif c.applications then index(by.application, c.applications, position)
    elseif c.use_cases then index(by.use_case, c.use_cases, position)
    elseif c.endpoints then index(by.endpoint, c.endpoints, position)
    else always[#always + 1] = position end
    c.models, c.applications = names(c.models), names(c.applications)
    c.use_cases, c.endpoints, c.tools = names(c.use_cases), names(c.endpoints), names(c.tools)
  end
  return { corrections = corrections, by = by, always = always }
end

local function in_force(c, now)
  return (not c.starts or now >= c.starts) and (not c.ends or now < c.ends)
end

local function applies(c, a, model, now)
  return (not c.models or c.models[model])
    and (not c.endpoints or c.endpoints[a.endpoint])
    and (not c.applications or c.applications[a.application])
    and (not c.use_cases or c.use_cases[a.use_case])
    and (not c.percentage or a.bucket < c.percentage)
    and in_force(c, now)
end

local function collect(policy, list, a, model, now, hits)
  if not list then return end
  if type(list) == "number" then
    if applies(policy.corrections[list], a, model, now) then hits[list] = true end
    return
  end
  for _, position in ipairs(list) do
    if applies(policy.corrections[position], a, model, now) then hits[position] = true end
  end
end

local function collect_all(policy, a, model, now, hits)
  local by = policy.by
  collect(policy, by.user[a.user], a, model, now, hits)
  collect(policy, by.organisation[a.organisation], a, model, now, hits)
  collect(policy, by.key[a.key], a, model, now, hits)
  collect(policy, by.model[model], a, model, now, hits)
  collect(policy, by.application[a.application], a, model, now, hits)
  collect(policy, by.use_case[a.use_case], a, model, now, hits)
  collect(policy, by.endpoint[a.endpoint], a, model, now, hits)
  collect(policy, policy.always, a, model, now, hits)
end

local function offers(c, tools)
  if not c.tools then return #tools > 0 end
  for _, name in ipairs(tools) do
    if c.tools[name] then return true end
  end
  return false
end

-- The first reroute that applies to this very model.
local function reroute(policy, hits, model, a, now)
  local first
  for position in pairs(hits) do
    local c = policy.corrections[position]
    if c.fallback and not c.shadow and applies(c, a, model, now) and (not first or position < first) then first = position end
  end
  return first
end

local function refuses(c, a)
  return c.body and c.kind ~= "request_limit" and (c.kind ~= "tools_off" or offers(c, a.tools))
end

local function fold(policy, hits, a, verdict)
  for position in pairs(hits) do
    local c = policy.corrections[position]
    if c.shadow then
      if c.kind ~= "tools_off" or offers(c, a.tools) then verdict.shadow[#verdict.shadow + 1] = c.id end
    elseif c.fallback then -- followed already
    elseif refuses(c, a) then
      if not verdict.refusal or position < verdict.refusal then verdict.refusal = position end
    elseif c.header then
      verdict.limits[#verdict.limits + 1] = c
    elseif c.max_tokens then
      verdict.content = true
    end
  end
end

-- A request that is rerouted must satisfy what applies to the model asked for and to the one that answers.
local function decide(policy, a, now)
  local verdict, hits, seen, model = { limits = {}, shadow = {} }, {}, {}, a.model
  repeat
    seen[model] = true
    collect_all(policy, a, model, now, hits)
    local step = next(hits) and reroute(policy, hits, model, a, now)
    local c = step and policy.corrections[step]
    if c then
      verdict.content, model = true, c.fallback
      if seen[model] then verdict.refusal = step end
    end
  until not c or seen[model]
  if next(hits) then fold(policy, hits, a, verdict) end
  return verdict
end
