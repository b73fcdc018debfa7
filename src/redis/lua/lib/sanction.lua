-- Bans and blocks. Each time that one is set or lifted has a number, later than all before it: so a store that lost the
-- newest of them can be told from one that has them, for what a replica has is all up to some moment.
local function state(at)
  local last = tonumber(redis.call('GET', K_stated()) or 0)
  at = at or math.max(us, last + 1)
  if at > last then redis.call('SET', K_stated(), string.format('%.0f', at)) end
  return at
end

local function ban(field, on)
  local bans = K_bans()
  if (redis.call('HEXISTS', bans, field) == 1) == on then return end
  if on then redis.call('HSET', bans, field, now) else redis.call('HDEL', bans, field) end
  local last = tonumber(redis.call('HGET', bans, 'revision') or 0)
  redis.call('HSET', bans, 'revision', string.format('%.0f', math.max(us, last + 1)))
end

local function block(uid, other, on)
  redis.call(on and 'SADD' or 'SREM', K_blocks(uid), other)
end
