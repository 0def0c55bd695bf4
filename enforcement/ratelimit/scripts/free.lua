-- Give places back. KEYS: the subject's sorted set. ARGV: lease, how many places.
for place = 1, tonumber(ARGV[2]) do redis.call('ZREM', KEYS[1], ARGV[1] .. '#' .. place) end
return { 1, 0, 0 }
