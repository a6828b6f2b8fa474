-- Store a stamp that was loaded from the database, unless another one was published meanwhile.
-- KEYS[1]  the stamp; ARGV  1 the loaded one, 2 what was stored before it was loaded ('' for none),
--          3 seconds until it expires
-- returns  1 if it is stored
local stored = redis.call('GET', KEYS[1]) or ''
if stored ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1
