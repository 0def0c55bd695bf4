-- Who is asking decides which corrections can reach a request at all. That part of the decision is made once
-- per identity, endpoint and declared use case, and kept; what differs from request to request is left to
-- decide.lua. Corrections arrive sorted by precedence and then by id: a lower position speaks first.

local CORRECTIONS = DATA.corrections
local KEPT_MOST = 20000

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

local NAMED = { users = "user", organisations = "organisation", keys = "key", regions = "region", tiers = "tier" }
local SCOPES = { models = "model", applications = "application", use_cases = "use_case", platforms = "platform",
  endpoints = "endpoint" }
local ORDER = { "models", "applications", "use_cases", "platforms", "endpoints" }
local SETS = { "applications", "use_cases", "platforms", "endpoints", "models", "features", "tools", "off",
  "accepted", "spares" }
local BY, ASKED, ALWAYS, MODELS = {}, {}, {}, {}
for _, attribute in pairs(NAMED) do BY[attribute] = {} end
for _, attribute in pairs(SCOPES) do BY[attribute] = BY[attribute] or {} end

local function place(c, position)
  if c.allow or c.lists then
    ASKED[#ASKED + 1] = position -- whom it reaches has to be asked of the lists
    if not c.allow then return end
    c.named = {}
    for field, attribute in pairs(NAMED) do c.named[attribute] = names(c[field]) end
    return
  end
  local somebody = false
  for field, attribute in pairs(NAMED) do
    if c[field] then
      somebody = true
      index(BY[attribute], c[field], position)
    end
  end
  if somebody then return end
  for _, field in ipairs(ORDER) do
    if c[field] then return index(BY[SCOPES[field]], c[field], position) end
  end
  ALWAYS[#ALWAYS + 1] = position
end

for position, c in ipairs(CORRECTIONS) do
  c.position = position
  if c.lists and not c.allow then -- its short lists are indexed as ever
    for field, attribute in pairs(NAMED) do index(BY[attribute], c[field] or "", position) end
  end
  place(c, position)
  for field in pairs(NAMED) do c[field] = nil end
  for name in string.gmatch(c.models or "", "[^;]+") do MODELS[name] = true end
  for _, field in ipairs(SETS) do c[field] = names(c[field]) end
end

local function listed(c, a)
  for attribute, set in pairs(c.named or {}) do
    if set[a[attribute]] then return true end
  end
  for _, list in ipairs(c.lists or {}) do
    if contains(LISTS[list.name], a[list.of]) then return true end
  end
  return false
end

-- What the identity, the endpoint and the declaration say; the model and the features are asked later.
local function fits(c, a)
  return (not c.endpoints or c.endpoints[a.endpoint])
    and (not c.applications or c.applications[a.application])
    and (not c.use_cases or c.use_cases[a.use_case])
    and (not c.platforms or c.platforms[a.platform])
    and (not c.percentage or a.bucket < c.percentage)
end

local function take(found, there, a)
  if type(there) == "number" then
    if fits(CORRECTIONS[there], a) then found[there] = true end
  elseif there then
    for _, position in ipairs(there) do
      if fits(CORRECTIONS[position], a) then found[position] = true end
    end
  end
end

local function sorted(found)
  local positions = {}
  for position in pairs(found) do positions[#positions + 1] = position end
  table.sort(positions)
  return positions
end

local function reached(a)
  local found = {}
  for _, attribute in pairs(NAMED) do take(found, BY[attribute][a[attribute]], a) end
  for _, position in ipairs(ASKED) do
    local c = CORRECTIONS[position]
    if fits(c, a) and (c.allow and not listed(c, a) or not c.allow and listed(c, a)) then found[position] = true end
  end
  for _, attribute in pairs(SCOPES) do
    if attribute ~= "model" then take(found, BY[attribute][a[attribute]], a) end
  end
  take(found, ALWAYS, a)
  return found
end

-- The corrections that can reach a request of this identity for this model, by precedence.
local function candidates(who, model)
  if not MODELS[model] then model = "" end
  local list = who.models[model]
  if list then return list end
  local found = {}
  for position in pairs(who.reached) do
    local c = CORRECTIONS[position]
    if not c.models or c.models[model] then found[position] = true end
  end
  take(found, BY.model[model], who)
  list = sorted(found)
  for i = 1, #list do
    local c = CORRECTIONS[list[i]]
    if c.spares or c.fallback or c.fallbacks then list.leads = true end -- to exemptions, or on to another model
  end
  who.models[model] = list
  return list
end

-- Whether the verdict about such a request could depend on what its body says.
local function asks_body(who)
  if DATA.strict or next(BY.model) then return true end
  for position in pairs(who.reached) do
    local c = CORRECTIONS[position]
    if c.models or c.features or c.body_asked then return true end
  end
  return false
end

local KEPT, kept = {}, 0

-- Gives what is known of an identity, made by make(line, declared) when it is met for the first time.
local function known(endpoint, line, declared, make)
  local name = declared and endpoint .. "\n" .. line .. "\n" .. declared or endpoint .. "\n" .. line
  local who = KEPT[name]
  if who then return who end
  who = make(endpoint, line, declared)
  who.reached, who.models = reached(who), {}
  who.asks_body = asks_body(who)
  who.untouched = not who.asks_body and next(who.reached) == nil
  if kept >= KEPT_MOST then KEPT, kept = {}, 0 end
  KEPT[name], kept = who, kept + 1
  return who
end
