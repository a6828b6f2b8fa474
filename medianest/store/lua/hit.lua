-- Count a request in a sliding window, or say when the next one is allowed.
-- KEYS[1]  a list of the times (microseconds) of the requests that count, oldest first
-- KEYS[2]  optional: the stamp of the user; without it, or if it is another one, nothing is counted
-- ARGV     1 limit, 2 window in microseconds, 3 seconds until the key expires (0: never),
--          4 with KEYS[2]: the stamp of the token
-- returns  { 1 if allowed else 0, requests remaining, us until the oldest leaves, now in us, stamp }
--          or { -1 } if the user's stamp is not stored, { -2, stamp } if it is another one
-- Redis's own clock decides, so that all machines agree. Refused requests do not count.
local stamp = ''
if KEYS[2] then
  stamp = redis.call('GET', KEYS[2])
  if not stamp then return { -1 } end
  if string.match(stamp, '^([^ ]*) ') ~= ARGV[4] then return { -2, stamp } end
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local limit, window, seconds = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local oldest = tonumber(redis.call('LINDEX', KEYS[1], 0) or now)
while oldest <= now - window do
  redis.call('LPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], 0) or now)
end

local used = redis.call('LLEN', KEYS[1])
local allowed = 0
if used < limit then
  -- %.0f: Lua would write a number of this size as 1.79e+15.
  redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
  if seconds > 0 then redis.call('EXPIRE', KEYS[1], seconds) end
  allowed, used = 1, used + 1
end
return { allowed, math.max(0, limit - used), oldest + window - now, string.format('%.0f', now), stamp }
