#!lua
-- Changes a room, if the facts that the decision rests on still hold. Refused as a whole when memory is full.
-- INCLUDE: head, position, log, hint, now, grave, membership
-- KEYS: 1 root
-- ARGV: self, keep, slack, life; room; expected: exists, private (1 or 0); 1 if there are new properties, name, private;
--       1 to delete; number of expected roles, of new roles, of entries; uid, role (or nothing) for each expected role,
--       for each new role; mark digit and tail for each entry
-- REPLY: nothing if the facts don't hold, else last seq, ts, payloads to other nodes, how many found nobody, number of
--        the payload to self, 1 if the room is gone; uid, since (-1: lost) for each user of this node who gained or
--        lost the room
local self, keep, slack, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local room, conv = ARGV[5], 'room:' .. ARGV[5]
local expects, roles, entries = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local format = string.format

local facts = redis.call('HMGET', K_room(room), 'created', 'private')
if (facts[1] and '1' or '0') ~= ARGV[6] then return false end
if facts[1] and facts[2] ~= ARGV[7] then return false end
for i = 15, 13 + 2 * expects, 2 do
  if (role_of(room, ARGV[i]) or '') ~= ARGV[i + 1] then return false end
end

local known = redis.call('MGET', K_epoch(), K_head(conv))
local epoch = known[1] and tonumber(string.match(known[1], '%d+$')) or 0
-- The log of a room that does not exist is what a failover left of one whose founding it lost.
if known[2] and not facts[1] then redis.call('DEL', K_log(conv), K_head(conv), K_ops(conv), K_edits(conv)) end
local h = head_of(facts[1] and known[2])
local was, q = h[S], h[S] + 1
if was == 0 or h[E] ~= epoch then q = math.max(us, epoch, q) end
local begin = q

-- The entries come first: RPUSH is what a broken key would refuse.
local items = {}
local p = 15 + 2 * (expects + roles)
for _ = 1, entries do
  local mark = tonumber(ARGV[p])
  items[#items + 1] = (was == 0 and q == begin and mark + 4 or mark) .. '{"type":"message","conv":"' .. conv .. '","seq":'
    .. format('%.0f', q) .. ',"ts":' .. format('%.0f', now) .. ',' .. ARGV[p + 1]
  h[S] = q
  q = q + 1
  p = p + 2
end
if #items > 0 then
  local len = push(conv, h, was, begin, items, now, epoch, life)
  trim(conv, h, len, keep, slack)
  redis.call('SET', K_head(conv), packed(h), 'PX', math.floor(2 * life))
  for seq = begin, h[S] do redis.call('ZADD', K_ops(conv), seq, seq) end
  redis.call('PEXPIRE', K_ops(conv), math.floor(2 * life))
end

local before = #items > 0 and begin - 1 or was
if ARGV[8] == '1' then
  redis.call('HSET', K_room(room), 'name', ARGV[9], 'private', ARGV[10])
  redis.call('HSETNX', K_room(room), 'created', now)
end
for i = 15 + 2 * expects, 13 + 2 * (expects + roles), 2 do
  assign(room, ARGV[i], ARGV[i + 1], before)
end
local gone = ARGV[11] == '1' or redis.call('HLEN', K_members(room)) == 0
if gone then raze(room, math.max(us, h[S])) end

-- To self, too, by the node's channel: it shares its connection with the feed's, so who gained or lost the room is
-- known before the entries come.
local here = tell_changed(conv, self)
local sent, unheard, own = forward(self)
for i, item in ipairs(items) do items[i] = '0\t' .. item end
if #items > 0 then redis.call('PUBLISH', K_feed(conv), '1 ' .. self .. '\n' .. table.concat(items, '\n')) end
local reply = { h[S], now, sent, unheard, own, gone and 1 or 0 }
for _, change in ipairs(here) do
  reply[#reply + 1] = change[1]
  reply[#reply + 1] = change[2]
end
return reply
