-- How many tokens an answer says it took, and enough to estimate them if it does not say: read from the chunks as
-- they pass, so that nothing is held back and no answer is too large. LIMITS names the token limits.

local KEEP = 4096 -- more than a usage object is long
local PLAIN = 1000000 -- up to here the text of an answer in one piece is looked for; vectors have none, and are long
local FIELDS = {
  input = { "prompt_tokens", "input_tokens" },
  cached = { "cache_creation_input_tokens" },
  reread = { "cache_read_input_tokens" },
  output = { "completion_tokens", "output_tokens" },
}
-- Where text is found in the chunks of the known formats.
local TEXTS = { content = true, text = true, delta = true, arguments = true, partial_json = true, thinking = true,
  reasoning = true, reasoning_content = true, refusal = true }

local function limited(h)
  local subjects = h:streamInfo():dynamicMetadata():get("irapp.limits")
  for _, id in ipairs(LIMITS) do
    if subjects and subjects[id] then return true end
  end
  return false
end

-- The largest figure counts: streams repeat and raise theirs, and a figure that came from elsewhere cannot lower it.
local function read_usage(found, window)
  for object in string.gmatch(window, '"usage"%s*:%s*(%b{})') do
    for name, keys in pairs(FIELDS) do
      for _, key in ipairs(keys) do
        local value = tonumber(string.match(object, '"' .. key .. '"%s*:%s*"?(%d+)'))
        if value and value > (found[name] or 0) then found[name] = value end
      end
    end
  end
end

local function read_text(found, chunk)
  local _, events = string.gsub(chunk, "data:%s*{", "")
  found.chunks = found.chunks + events
  for key, text in string.gmatch(chunk, '"([%a_]+)"%s*:%s*"([^"]*)') do
    if TEXTS[key] then found.text = found.text + #text end
  end
end

local function note(h, found)
  local metadata = h:streamInfo():dynamicMetadata() -- void after each wait for a chunk
  local figures = { input = (found.input or 0) + (found.cached or 0) + (found.reread or 0),
    output = found.output or 0, chunks = found.chunks, text = found.text }
  -- Envoy skips what is above, as if it were nothing.
  for name, value in pairs(figures) do metadata:set("irapp.usage", name, math.min(value, 1e9)) end
end

local function follow(h)
  local found, tail, seen = { chunks = 0, text = 0 }, "", 0
  local streamed = string.find(h:headers():get("content-type") or "", "^text/event%-stream")
  for buffer in h:bodyChunks() do
    local size = buffer:length()
    local chunk = size > 0 and buffer:getBytes(0, size) or ""
    local window = tail .. chunk
    if string.find(window, '"usage"', 1, true) then read_usage(found, window) end
    seen = seen + size
    if streamed or seen <= PLAIN then read_text(found, chunk) else found.text = found.text + size end
    tail = string.sub(window, -KEEP)
    note(h, found) -- at once: a client may hang up before the end
  end
end

function envoy_on_response(h)
  if not limited(h) then return end
  local done, why = pcall(follow, h)
  if not done then h:logErr("usage not read: " .. tostring(why)) end
end
