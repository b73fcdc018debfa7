#!lua flags=allow-oom
-- A direct conversation becomes the one of its other side and somebody else, with all that the other side has of it.
-- Its items were copied before. Where that conversation exists already, it goes on there in a new run.
-- INCLUDE: head, position, now, grave
-- KEYS: 1 root
-- ARGV: the conversation as it was, as it is to be, who goes, who comes in their place, the other side; how many items
--       were copied, the first one's seq, the head when copying began
-- REPLY: 1; 0 if there are more items to copy; 2 if the copy is not right any more; -1 if the other conversation has
--        later entries
local from, to, uid, alias, peer = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local copied, first, began = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local log, copy, target = K_log(from), K_copy(from), K_log(to)
local format = string.format
local packed_head, other = redis.call('GET', K_head(from)), redis.call('GET', K_head(to))
if not packed_head then return 1 end
local h = head_of(packed_head)
local last = h[S]

-- What changes an item appends an entry with an op, so a copy with none after it is right as far as it goes.
local function is_right()
  if redis.call('ZCOUNT', K_ops(from), format('(%.0f', began), '+inf') > 0 then return false end
  if redis.call('LLEN', copy) ~= copied or redis.call('LLEN', log) < copied then return false end
  return copied == 0 or seq_at(log, 0) == first
end

local function swap_sides()
  for _, pair in ipairs({ { FA, FB }, { RA, RB }, { PA, PB }, { YA, YB } }) do
    h[pair[1]], h[pair[2]] = h[pair[2]], h[pair[1]]
  end
end

-- What was said before there is kept in front.
local function go_on_after(t)
  local first = redis.call('LINDEX', copy, 0)
  if first and string.byte(first) >= 52 then
    redis.call('LSET', copy, 0, string.char(string.byte(first) - 4) .. string.sub(first, 2))
  end
  for _, field in ipairs({ FA, FB, RA, RB }) do h[field] = math.max(h[field], t[field]) end
  for _, field in ipairs({ PA, PB, YA, YB }) do h[field] = h[field] + t[field] end
  if redis.call('EXISTS', target) == 1 then h[TR], h[TW] = t[TR], t[TW] else h[TR], h[TW] = t[S], 1 end
  if h[L] == 0 then h[L], h[M] = t[L], t[M] end
  h[O] = t[O]
end

local function move_items(ttl)
  local at = 0
  while at < copied do
    redis.call('RPUSH', target, unpack(redis.call('LRANGE', copy, at, at + 255)))
    at = at + 256
  end
  if copied > 0 then redis.call('PEXPIRE', target, ttl) end
  redis.call('DEL', copy, log)
end

local function move_index(old, new, ttl)
  if redis.call('EXISTS', old) == 0 then return end
  redis.call('ZUNIONSTORE', new, 2, new, old)
  redis.call('PEXPIRE', new, ttl)
  redis.call('DEL', old)
end

local function move_member(key, old, new, score)
  score = redis.call('ZSCORE', key, old) or score
  if score then redis.call('ZADD', key, score, new) end
  redis.call('ZREM', key, old)
end

local function replaced(text, old, new)
  local parts, at = {}, 1
  while true do
    local first, last = string.find(text, old, at, true)
    if not first then break end
    parts[#parts + 1] = string.sub(text, at, first - 1)
    at = last + 1
  end
  parts[#parts + 1] = string.sub(text, at)
  return table.concat(parts, new)
end

local function move_device(device)
  local cur = K_cur(peer, device)
  local cursor = redis.call('HGET', cur, from)
  if cursor then
    local there = tonumber(redis.call('HGET', cur, to) or 0)
    redis.call('HSET', cur, to, format('%.0f', math.max(there, tonumber(cursor))))
    redis.call('HDEL', cur, from)
  end
  local polls = redis.call('HGETALL', K_polls(peer, device))
  for i = 1, #polls, 2 do
    local held = replaced(polls[i + 1], '"' .. from .. '"', '"' .. to .. '"')
    if held ~= polls[i + 1] then redis.call('HSET', K_polls(peer, device), polls[i], held) end
  end
end

local function move_hidden(who, named)
  if redis.call('EXISTS', K_hidden(from, who)) == 1 then redis.call('RENAME', K_hidden(from, who), K_hidden(to, named)) end
end

if not is_right() then return 2 end
if redis.call('LLEN', log) > copied then return 0 end
local t = other and head_of(other)
if t and h[O] <= t[S] then return -1 end
if (uid == sides(from)) ~= (alias == sides(to)) then swap_sides() end
if t then go_on_after(t) end

local life_of_head = redis.call('PTTL', K_head(from))
move_items(redis.call('PTTL', log))
move_index(K_ops(from), K_ops(to), life_of_head)
move_index(K_edits(from), K_edits(to), life_of_head)
redis.call('SET', K_head(to), packed(h), 'PX', life_of_head)
redis.call('DEL', K_head(from))
bury(from, math.max(us, last))
move_member(K_box(peer), from, to, h[M])
move_member(K_stirred(peer), from, to)
-- Receipts of who is gone are no news to anybody.
redis.call('ZREM', K_rcpt(peer), 'p' .. from)
move_member(K_rcpt(peer), 'o' .. from, 'o' .. to)
redis.call('ZREM', K_strangers(peer), uid)
for _, device in ipairs(redis.call('ZRANGE', K_devs(peer), 0, -1)) do move_device(device) end
move_hidden(peer, peer)
move_hidden(uid, alias)
return 1
