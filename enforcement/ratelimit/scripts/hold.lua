-- Let a subject hold one place more, if one is free. A place is a member with the moment at which it lapses.
-- KEYS: the subject's sorted set. ARGV: amount, life in ms, lease, how many places. Gives: allowed, remaining, ms.
local key, amount, life = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
local places = tonumber(ARGV[4])
local free = amount - redis.call('ZCARD', key)
if places > free then return { 0, free, 1000 } end
for place = 1, places do redis.call('ZADD', key, now + life, ARGV[3] .. '#' .. place) end
redis.call('PEXPIRE', key, life + 1000)
return { 1, free - places, 0 }
