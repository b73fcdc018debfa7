-- What goes with an entry that is put back. Of a frame only what stands before its data may be searched for: data holds
-- whatever its writer chose.
local HINTS = 64
local IDENTIFIED = '^.{"type":"message","conv":"[^"]*","seq":%d+,"ts":(%d+),"id":"(.-)","sender":"([^"]+)"'

-- The generations of ids, when they were looked up.
local present, past

-- The first place of a letter's id: false if that is another one, because it was stored anew meanwhile.
local function claims(conv, seq, item)
  local at, id, sender = string.match(item, IDENTIFIED)
  if not id then return true end
  local name = name_of_id(conv, byte(item), sender, (string.gsub(id, '\\(.)', '%1')))
  if not present then present, past = generations(call('GET', K_generations())) end
  local known = call('HGET', K_ids(present), name) or call('HGET', K_ids(past), name)
  if known then return struct.unpack(STORED, known) == seq end
  call('HSET', K_ids(present), name, struct.pack(STORED, seq, tonumber(at)))
  return true
end

-- The op of an entry that has one, and what message it is about.
local function op_of(item)
  return string.match(item, '"op":"(%a+)"'), string.match(item, '"op":"%a+","ref":(%d+)')
end

-- Entries with an op that were stored after a seq.
local function ops_after(log, seq)
  local items = {}
  for _, after in ipairs(redis.call('ZRANGEBYSCORE', K_ops(log.conv), string.format('(%.0f', seq), '+inf')) do
    local index = upto(log.key, log.h, log.len, tonumber(after)) - 1
    items[#items + 1] = index >= 0 and redis.call('LINDEX', log.key, index) or nil
  end
  return items
end

-- A message becomes what the entry that changed it made of it, unless a later one changed it again.
local function supersede(log, fresh, unit, seq, item)
  if fresh[seq] then
    fresh[seq] = item
  elseif is_missing(log, seq) then
    fresh[seq] = claims(log.conv, seq, item) and item or nil
  elseif seq > log.buried and seq > log.h[TR] then
    local is_final = op_of(unit.item) == 'recall'
    for _, later in ipairs(is_final and {} or ops_after(log, unit.seq)) do
      local _, ref = op_of(later)
      if tonumber(ref) == seq then return end
    end
    local index = upto(log.key, log.h, log.len, seq) - 1
    if index >= 0 and seq_at(log.key, index) == seq then redis.call('LSET', log.key, index, item) end
  end
end

-- Of what was kept: seq → item of what the log lacks, and the units whose own entry is among that.
local function missing_of(log, units)
  local fresh, news = {}, {}
  for _, unit in ipairs(units) do
    local seq = unit.seq
    if unit.item ~= '' and is_missing(log, seq) and (fresh[seq] or claims(log.conv, seq, unit.item)) then
      fresh[seq] = fresh[seq] or unit.item
      news[#news + 1] = unit
    end
  end
  for _, unit in ipairs(news) do
    for _, change in ipairs(unit.becomes) do supersede(log, fresh, unit, tonumber(change[1]), change[2]) end
  end
  return fresh, news
end

-- A change of a room: its properties, and the roles of those about whom no later entry says something else.
local function admit(log, unit)
  local room = string.match(log.conv, '^room:(.+)$')
  if unit.meta then
    redis.call('HSET', K_room(room), 'name', unit.meta[1], 'private', unit.meta[2])
    redis.call('HSETNX', K_room(room), 'created', now)
  end
  if redis.call('EXISTS', K_room(room)) == 0 then return end
  local decided = {}
  for _, later in ipairs(ops_after(log, unit.seq)) do
    if op_of(later) == 'system' then decided[string.match(later, '"uid":"([^"]+)"')] = true end
  end
  for _, change in ipairs(unit.roles) do
    if not decided[change[1]] then assign(room, change[1], change[2], unit.seq - 1) end
  end
end

local function index_op(conv, seq, item)
  local text = string.format('%.0f', seq)
  redis.call('ZADD', K_ops(conv), text, text)
  redis.call('PEXPIRE', K_ops(conv), math.floor(2 * ARGV[2]))
  local op, edited = op_of(item)
  if op ~= 'edit' then return end
  redis.call('ZADD', K_edits(conv), edited, text)
  redis.call('PEXPIRE', K_edits(conv), math.floor(2 * ARGV[2]))
end

local function read_up_to(conv, uid, seq)
  local read = tonumber(redis.call('HGET', K_read(uid), conv) or 0)
  if seq > read then redis.call('HSET', K_read(uid), conv, string.format('%.0f', seq)) end
end

-- Hints to every node that may have a reader; of many entries the last, by which it sees that it must read.
local function announce(conv, fresh, seqs)
  tell_changed(conv, '')
  local a, b = sides(conv)
  local told, lines = {}, {}
  for i = #seqs > HINTS and #seqs or 1, #seqs do lines[#lines + 1] = fresh[seqs[i]] end
  if not a then
    if #lines == 0 then return end
    return redis.call('PUBLISH', K_feed(conv), '1 ' .. ARGV[1] .. '\n0\t' .. table.concat(lines, '\n0\t'))
  end
  local at = (redis.call('GET', K_at(a)) or '') .. ' ' .. (redis.call('GET', K_at(b)) or '')
  for node in string.gmatch(at, '%S+') do
    if not told[node] then
      told[node] = true
      for _, item in ipairs(lines) do tell(node, item) end
    end
  end
end
