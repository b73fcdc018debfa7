#!lua flags=allow-oom
-- Puts back into logs what nodes kept of them, under the seqs that it had: all of a conversation in one step, so that no
-- reader meets a gap that is yet to be filled; and before them bans and blocks, in the order in which they were stated.
-- INCLUDE: head, position, hint, now, grave, membership, kept, ids, again, sanction
-- KEYS: 1 root
-- ARGV: self, life of a log in ms, after how many entries the rest is left for the next call
-- REPLY: how many conversations are left, entries put back, conversations that could not be restored, payloads to other
--        nodes, how many found nobody; how many of the entries stand below others that are there
local self, life = ARGV[1], math.floor(tonumber(ARGV[2]))
local restored, failed, late = 0, 0, 0

-- What storing an entry does beside the log: positions, what is pending, the index of ops; reads and times gather what
-- the last of many entries decides.
local function account(log, seq, item, reads, times)
  local h, conv, a, b = log.h, log.conv, sides(log.conv)
  local mark, at = byte(item) - 48, tonumber(match(item, '"ts":(%d+)'))
  local greater, op = mark % 2 == 1, mark % 4 >= 2
  local sender = match(item, '"sender":"([^"]+)"')
  h[T] = math.max(h[T], at)
  if op then
    index_op(conv, seq, item)
  elseif seq > h[L] then
    h[L], h[M] = seq, at
  end
  if not a then
    if not op or op_of(item) ~= 'system' then reads[sender] = seq end
    return
  end
  local R = greater and RB or RA
  h[R] = math.max(h[R], seq)
  times[op] = at
  if op then return end
  local P, Y, F = PB, YB, FB
  if greater or a == b then P, Y, F = PA, YA, FA end
  if seq > h[F] then h[P], h[Y] = h[P] + 1, h[Y] + #item end
end

-- The entries of a log from index on, and those that are missing among them, in order.
local function merged(log, index, fresh, seqs)
  local items, at = {}, {}
  local function take(item, seq)
    items[#items + 1] = item
    at[#at + 1] = seq
  end
  local k = 1
  for _, item in ipairs(call('LRANGE', log.key, index, -1)) do
    local seq = tonumber(match(item, '"seq":(%d+)'))
    while seqs[k] and seqs[k] < seq do
      take(fresh[seqs[k]], seqs[k])
      k = k + 1
    end
    take(item, seq)
  end
  for i = k, #seqs do take(fresh[seqs[i]], seqs[i]) end
  return items, at
end

-- Where the run that ends the log begins: everything from there to the end is contiguous.
local function run_of(log, index, at)
  local first = #at
  while first > 1 and at[first - 1] == at[first] - 1 do first = first - 1 end
  local joins = first == 1 and index > 0 and at[1] > log.h[B] and seq_at(log.key, index - 1) == at[1] - 1
  return joins and log.h[B] or at[first]
end

local function insert(log, fresh, seqs)
  local h, first = log.h, seqs[1]
  for _, seq in ipairs(seqs) do late = seq < h[S] and late + 1 or late end
  local index = h[S] == 0 and 0 or upto(log.key, h, log.len, first)
  local items, at = merged(log, index, fresh, seqs)
  h[B] = run_of(log, index, at)
  if index == 0 then call('DEL', log.key) elseif index < log.len then call('LTRIM', log.key, 0, index - 1) end
  for i = 1, #items, 256 do call('RPUSH', log.key, unpack(items, i, math.min(#items, i + 255))) end
  call('PEXPIRE', log.key, life)
  if h[S] == 0 or first < h[O] then h[O] = first end
  h[S], h[X] = at[#at], now
  local reads, times = {}, {}
  for _, seq in ipairs(seqs) do account(log, seq, fresh[seq], reads, times) end
  for uid, seq in pairs(reads) do read_up_to(log.conv, uid, seq) end
  for _, uid in ipairs({ sides(log.conv) }) do
    if times[false] then call('ZADD', K_box(uid), 'GT', times[false], log.conv) end
    if times[true] then call('ZADD', K_stirred(uid), 'GT', times[true], log.conv) end
  end
  call('SET', K_head(log.conv), packed(h), 'PX', 2 * life)
end

local function restore(conv)
  local units = {}
  for i, text in ipairs(call('ZRANGE', K_kept(conv), 0, -1)) do
    units[i] = cjson.decode(text)
    units[i].seq = tonumber(units[i].seq)
  end
  local log = log_of(conv)
  for _, unit in ipairs(units) do
    if unit.razes and unit.seq > log.buried and log.h[S] <= unit.seq then
      raze(match(conv, '^room:(.+)$'), unit.seq)
      log = log_of(conv)
    end
  end
  local fresh, news = missing_of(log, units)
  local seqs = {}
  for seq in pairs(fresh) do seqs[#seqs + 1] = seq end
  table.sort(seqs)
  for _, unit in ipairs(news) do
    if unit.roles then admit(log, unit) end
  end
  if #seqs > 0 then insert(log, fresh, seqs) end
  announce(conv, fresh, seqs)
  restored = restored + #seqs
end

local sanctions = call('ZRANGE', K_sanctions(), 0, -1, 'WITHSCORES')
for i = 1, #sanctions, 2 do
  local kind, who, whom, on = unpack(cjson.decode(sanctions[i]))
  if kind == 'ban' then ban(who, on) else block(who, whom, on) end
  state(tonumber(sanctions[i + 1]))
end
call('DEL', K_sanctions())

local conv = call('SPOP', K_returning())
while conv do
  changed = {}
  -- One broken key must not keep the others from being restored.
  local whole, failure = pcall(restore, conv)
  if not whole then
    failed = failed + 1
    redis.log(redis.LOG_WARNING, 'skein restore: ' .. tostring(type(failure) == 'table' and failure.err or failure))
  end
  call('DEL', K_kept(conv))
  conv = restored + failed < tonumber(ARGV[3]) and call('SPOP', K_returning())
end
local sent, unheard = forward(self)
return { call('SCARD', K_returning()), restored, failed, sent, unheard, late }
