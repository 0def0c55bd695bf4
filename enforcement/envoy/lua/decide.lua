-- The same decision as enforcement/decide, for one request of a known identity.

local NONE = {} -- never written to
local NOTHING = { limits = NONE, shadow = NONE, warnings = NONE }

local function uses(set, list)
  for _, name in ipairs(list) do
    if set[name] then return true end
  end
  return false
end

local function live(c, a, now)
  return (not c.starts or now >= c.starts) and (not c.ends or now < c.ends)
    and (not c.features or uses(c.features, a.features))
end

local function in_grace(c, now)
  return c.grace ~= nil and now < c.grace
end

local REFUSES = {
  always = function() return true end,
  use = function(c, _, who) return who.use_case == "" or (c.accepted ~= nil and not c.accepted[who.use_case]) end,
  tools = function(c, a)
    if not c.tools then return #a.tools > 0 end
    return uses(c.tools, a.tools)
  end,
  features = function(c, a) return uses(c.off, a.features) end,
  bytes = function(c, a) return a.body_bytes > c.max_bytes end,
}

local function onward(c, who)
  return c.fallback or (c.fallbacks and c.fallbacks[who.organisation])
end

local function bites(c, who, a)
  if c.fallbacks and c.fallbacks[who.organisation] then return false end
  local refuses = REFUSES[c.refuses]
  return refuses ~= nil and refuses(c, a, who)
end

-- Whether a dry run would have refused or changed the request, as far as its attributes show.
local function acts(c, who, a)
  if c.silent then return false end
  local refuses = REFUSES[c.refuses]
  return refuses == nil or refuses(c, a, who)
end

-- The references that exemptions spare at this model.
local function spared(list, a, now)
  local found
  for i = 1, #list do
    local c = CORRECTIONS[list[i]]
    if c.spares and live(c, a, now) then
      found = found or {}
      for reference in pairs(c.spares) do found[reference] = true end
    end
  end
  return found
end

-- What binds at one model, in order; gives the first correction that leads on to another.
local function meet(list, who, a, now, hits)
  local exempt, step = spared(list, a, now), nil
  for i = 1, #list do
    local c = CORRECTIONS[list[i]]
    if not c.spares and not (exempt and exempt[c.reference]) and live(c, a, now) then
      if not hits[c] then
        hits[c], hits[#hits + 1] = true, c.position
      end
      if not step and not c.shadow and onward(c, who) and not in_grace(c, now) then step = c end
    end
  end
  return step
end

-- Follows reroutes, so that what is restricted for the answering model binds too.
local function journey(who, a, now, hits, verdict)
  local model, seen = a.model, {}
  while true do
    seen[model] = true
    local step = meet(candidates(who, model), who, a, now, hits)
    if not step then return end
    verdict.content, verdict.rerouted, model = true, true, onward(step, who)
    if seen[model] then
      verdict.refusal = step.position
      return
    end
  end
end

local function add(verdict, field, what)
  if verdict[field] == NONE then verdict[field] = {} end
  verdict[field][#verdict[field] + 1] = what
end

local function fold(c, who, a, now, verdict)
  if c.content and (not c.shadow or c.content == "always") then verdict.content = true end
  if c.unread and not c.shadow and not verdict.unread then verdict.unread = c.position end
  if c.header then
    add(verdict, "limits", c)
  elseif c.shadow then
    if acts(c, who, a) then add(verdict, "shadow", c.id) end
  elseif bites(c, who, a) then
    if in_grace(c, now) then
      add(verdict, "warnings", c)
    elseif not verdict.refusal or c.position < verdict.refusal then
      verdict.refusal = c.position
    end
  end
end

local function decide(who, a, now)
  local list = candidates(who, a.model)
  if #list == 0 then return NOTHING end
  local verdict = { limits = NONE, shadow = NONE, warnings = NONE }
  if list.leads then
    local hits = {}
    journey(who, a, now, hits, verdict)
    if verdict.rerouted then table.sort(hits) end -- what binds at several models, by precedence again
    for i = 1, #hits do fold(CORRECTIONS[hits[i]], who, a, now, verdict) end
  else
    for i = 1, #list do
      local c = CORRECTIONS[list[i]]
      if live(c, a, now) then fold(c, who, a, now, verdict) end
    end
  end
  -- The content filter counts turns, and may have a refusal that comes before this one.
  if verdict.refusal and verdict.unread and verdict.unread < verdict.refusal then verdict.refusal = nil end
  return verdict
end
