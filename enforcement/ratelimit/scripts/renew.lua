-- Keep leases alive, and put them back if this server lost them. KEYS: the subject's sorted set.
-- ARGV: life in ms, then lease and places in turn.
local clock = redis.call('TIME')
local until_ = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[1])
for i = 2, #ARGV, 2 do
  for place = 1, tonumber(ARGV[i + 1]) do redis.call('ZADD', KEYS[1], until_, ARGV[i] .. '#' .. place) end
end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) + 1000)
return { 1, 0, 0 }
