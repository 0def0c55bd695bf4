-- Count hits in a sliding window, atomically and by the clock of this server.
-- KEYS: the subject's hash. ARGV: amount, window in ms, burst (0: none), hits, force (1: count them anyhow), owed
-- (counted elsewhere while this server was away). Gives: allowed, remaining, ms until it may fit.
-- The hash holds the hits by slot of time. A slot counts as long as any moment in it lies within the window, so
-- that never more than the amount fits into any window; it is forgotten at most one slot (1/128 window) late.
-- Small amounts have slots of 1 ms and are exact.
local key = KEYS[1]
local amount, window, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local hits, force, owed = tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local width = amount <= 128 and 1 or math.max(1, math.ceil(window / 128))
local oldest = math.floor((now - window + 1) / width)

local used, due, slots, gone = owed, 0, {}, {}
local stored = redis.call('HGETALL', key)
for i = 1, #stored, 2 do
  local slot, count = tonumber(stored[i]), tonumber(stored[i + 1])
  if not slot then due = count
  elseif slot < oldest then gone[#gone + 1] = stored[i]
  else used = used + count; slots[#slots + 1] = { slot, count } end
end
if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end

-- A burst is a bucket that refills at the rate of the limit: ``due`` is when it will be full again.
local pace = window / amount
local wait = 0
if burst > 0 then
  due = math.max(due, now) + hits * pace
  wait = math.max(0, due - now - burst * pace)
end
local over = used + math.max(hits, 1) - amount
local fits = over <= 0 and wait < 0.01

local add = owed + ((fits or force) and hits or 0)
if add > 0 then
  redis.call('HINCRBY', key, string.format('%.0f', math.floor(now / width)), add)
  if burst > 0 and fits then redis.call('HSET', key, 'due', string.format('%.3f', due)) end
  redis.call('PEXPIRE', key, window + width + 1000)
end
if fits then return { 1, amount - used - hits, 0 } end

table.sort(slots, function(a, b) return a[1] < b[1] end)
for _, one in ipairs(slots) do
  if over <= 0 then break end
  over = over - one[2]
  wait = math.max(wait, (one[1] + 1) * width - 1 + window - now)
end
if over > 0 then wait = window end
return { 0, math.max(0, amount - used), math.ceil(math.min(wait, window + width)) }
