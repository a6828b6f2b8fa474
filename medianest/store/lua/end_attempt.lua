-- End an attempt: forget it, or count it as failed from the moment it was begun.
-- KEYS[1]  the sorted set of attempt.lua; ARGV  1 id of the attempt, 2 '1' if it failed
local moment = redis.call('ZSCORE', KEYS[1], 'p:' .. ARGV[1])
if not moment then return 0 end
redis.call('ZREM', KEYS[1], 'p:' .. ARGV[1])
if ARGV[2] == '1' then redis.call('ZADD', KEYS[1], moment, 'f:' .. ARGV[1]) end
return 1
