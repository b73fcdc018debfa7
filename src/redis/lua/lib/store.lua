-- Storing letters, addressing and hinting them: what append and amend share. ARGV begins as append.lua says, so that a
-- letter's place in it is the same in both. What is said for every call is paid by a lone letter: a function costs
-- where it is made, and more for each name around it that it uses.
local self, convs = ARGV[1], tonumber(ARGV[2])
-- Numbers become text once: Redis would print them for each call again.
local ts = format('%.0f', now)

-- Looked up at once: the epoch, the generations, and from slot[p] on the head of the conversation at ARGV[p] and where
-- its sides are. ids are what letters are remembered by; that of the letter at ARGV[p] is number place[p].
local wanted, slot, ids, place = { K_epoch(), K_generations() }, {}, {}, {}
local p = 3
for _ = 1, convs do
  local conv, n, w = ARGV[p], tonumber(ARGV[p + 1]), #wanted + 1
  local a, b = match(conv, '^dm:([^:]+):(.+)$')
  slot[p], wanted[w] = w, K_head(conv)
  if a then wanted[w + 1], wanted[w + 2] = K_at(a), K_at(b) end
  for q = p + 2, p + 2 * n, 2 do
    local id, sender = sub(ARGV[q], 2), nil
    if not a then sender, id = match(id, '^(%S+) %d+ (.*)$') end
    if id ~= '' then
      place[q] = #ids + 1
      ids[place[q]] = name_of_id(conv, byte(ARGV[q]), sender, id)
    end
  end
  p = p + 2 + 2 * n
end
local found = call('MGET', unpack(wanted))
local epoch = found[1] and tonumber(match(found[1], '%d+$')) or 0

local present, past = generations(found[2])
local known, older, fresh = {}, {}, {}
if ids[1] then
  known = call('HMGET', K_ids(present), unpack(ids))
  older = call('HMGET', K_ids(past), unpack(ids))
end

-- The last thing of all: an id must not be known without its message.
local function remember()
  if fresh[1] then call('HSET', K_ids(present), unpack(fresh)) end
end

local reply = { now, 0, 0 }
-- The entries that letters of this call repeat.
local repeated = {}

local function is_member(room, sender)
  if call('HEXISTS', K_members(room), sender) == 1 then return nil end
  return call('EXISTS', K_room(room)) == 1 and 'not_member' or 'not_found'
end

-- Whether the box of the receiver takes no more of a conversation, or nothing more from this sender, for a uid that no
-- device ever used may be written to by so many, and so much. P, Y, F, R are the receiver's fields in the head; more is
-- what this batch added already, size its bytes with the message in question.
local function is_full(conv, h, P, Y, F, R, more, size, sender, receiver)
  if h[P] + more >= PENDING or h[Y] + size > PENDING_BYTES then
    if call('EXISTS', K_log(conv)) == 1 then return true end
    h[PA], h[YA], h[PB], h[YB] = 0, 0, 0, 0
    if more >= PENDING or size > PENDING_BYTES then return true end
  end
  local pending = h[P] + more
  if sender == receiver or h[F] > 0 or h[R] > 0 or (pending > 0 and pending < STRANGER_MESSAGES) then return false end
  if call('EXISTS', K_devs(receiver)) == 1 then return false end
  if pending >= STRANGER_MESSAGES then return true end
  local strangers = K_strangers(sender)
  if not call('ZSCORE', strangers, receiver) and call('ZCARD', strangers) >= STRANGERS then
    call('ZREMRANGEBYSCORE', strangers, '-inf', now - LIFE)
    for _, uid in ipairs(call('ZRANDMEMBER', strangers, 50)) do
      if call('EXISTS', K_devs(uid)) == 1 then call('ZREM', strangers, uid) end
    end
    if call('ZCARD', strangers) >= STRANGERS then return true end
  end
  call('ZADD', strangers, ts, receiver)
  call('PEXPIRE', strangers, LIFE)
  return false
end

-- Stored entries that were sent again, as far as they are still there.
local function again(conv, h, seqs, begin)
  local items = {}
  local log = K_log(conv)
  local len = call('LLEN', log)
  for _, q in ipairs(seqs) do
    local index = q < begin and upto(log, h, len, q) or 0
    local item = index > 0 and call('LINDEX', log, index - 1)
    if item and tonumber(match(item, '"seq":(%d+)')) == q then
      items[#items + 1] = item
      repeated[#repeated + 1] = item
    end
  end
  return items
end

-- To the nodes of both sides but this one, each once.
local function hint_direct(at_a, at_b, items)
  if at_a == self then at_a = false end
  if at_b == self or at_b == at_a then at_b = false end
  local nodes = at_a and at_b and at_a .. ' ' .. at_b or at_a or at_b
  if not nodes then return end
  local told = {}
  for node in string.gmatch(nodes, '%S+') do
    if node ~= self and not told[node] then
      told[node] = true
      for i = 1, #items do tell(node, items[i]) end
    end
  end
end

-- Both sides' boxes go by messages; what has an op may be pending all the same.
local function box(a, b, conv, h, has_op)
  if has_op then
    for _, uid in ipairs({ a, b }) do
      call('ZADD', K_stirred(uid), ts, conv)
      call('PEXPIRE', K_stirred(uid), HEAD_LIFE)
    end
  elseif now - h[Z] >= 1000 or now < h[Z] then
    call('ZADD', K_box(a), ts, conv)
    if a ~= b then call('ZADD', K_box(b), ts, conv) end
    -- The box of who never comes back must have an end. Once in each part of time, and so at a conversation's first
    -- message too, its life is renewed, and of its oldest conversations those go of which nothing is left.
    if math.floor(now / LIFE * 24) ~= math.floor(h[Z] / LIFE * 24) then
      for _, uid in ipairs({ a, b }) do
        call('PEXPIRE', K_box(uid), format('%.0f', 3 * LIFE))
        for _, old in ipairs(call('ZRANGE', K_box(uid), 0, 2)) do
          if old ~= conv and call('EXISTS', K_head(old)) == 0 then call('ZREM', K_box(uid), old) end
        end
      end
    end
    h[Z] = now
  end
end

-- What is beyond the bound goes. If no message is left but entries with an op, the conversation stands where it began.
local function cut(conv, h, len, a, b)
  trim(conv, h, len, KEEP, SLACK)
  if a and h[L] <= h[TR] then
    local began = format('%.0f', math.floor(h[O] / 1000))
    call('ZADD', K_box(a), began, conv)
    call('ZADD', K_box(b), began, conv)
    h[Z] = 0
  end
  call('SET', K_head(conv), packed(h), 'KEEPTTL')
end

-- Whether a user has as many conversations as may be, without the oldest of those of which nothing is left.
local function is_crowded(uid)
  local box = K_box(uid)
  if call('ZCARD', box) < CONVERSATIONS then return false end
  for _, old in ipairs(call('ZRANGE', box, 0, 49)) do
    if call('EXISTS', K_head(old)) == 0 then call('ZREM', box, old) end
  end
  return call('ZCARD', box) >= CONVERSATIONS
end

-- How many of n more entries a direct log takes. One message that nobody acknowledges keeps all that follows it from
-- being trimmed, also what its receiver writes; the log still has an end. Seqs are at least as far apart as entries are
-- many, so most often the head alone tells. A first message must find both sides with room for one more conversation.
local function room_for(n, conv, h, a, b)
  if h[S] == 0 and (is_crowded(a) or is_crowded(b)) then return 0 end
  if h[S] - math.max(h[TR], h[O] - 1) + n <= LONGEST then return n end
  local gone, len = h[TR], call('LLEN', K_log(conv))
  if len + n > LONGEST then trim(conv, h, len, KEEP, SLACK) end
  if h[TR] == gone then return LONGEST - len end
  cut(conv, h, 0, a, b)
  return LONGEST - call('LLEN', K_log(conv))
end

-- Stores the letters of the conversation at ARGV[p]. Either none or all of them have an op.
local function store(p, may_write)
  local conv, w = ARGV[p], slot[p]
  local a, b = match(conv, '^dm:([^:]+):(.+)$')
  local room = byte(conv) == 114 and sub(conv, 6)
  local h = head_of(found[w])
  local was, q, renewed = h[S], h[S] + 1, h[X]
  if was == 0 or h[E] ~= epoch then q = math.max(us, epoch, q) end
  local begin = q
  local before, between = '{"type":"message","conv":"' .. conv .. '","seq":', ',"ts":' .. ts .. ','
  local items, count, at_reply, has_op = {}, 0, #reply, false
  local feed, dups, reads, mine = {}, nil, {}, {}
  -- What becomes pending: counted apart, for push may find that what was pending has expired.
  local more_a, bytes_a, more_b, bytes_b = 0, 0, 0, 0
  -- Of what has an op, amend has seen to it before it replaced items.
  local space = a and byte(ARGV[p + 2]) < 50 and room_for(tonumber(ARGV[p + 1]), conv, h, a, b)
  for at = p + 2, p + 2 * ARGV[p + 1], 2 do
    local mark, seq, id = byte(ARGV[at]) - 48, format('%.0f', q), ids[place[at]]
    local vouched = mark >= 8
    if vouched then mark = mark - 8 end
    local greater, op, sender, ref = mark % 2 == 1, mark >= 2, nil, nil
    if a then sender = greater and b or a else sender, ref = match(ARGV[at], '^%d(%S+) (%d+)') end
    local refusal = room and not may_write and is_member(room, sender)
    local outside = vouched and refusal == 'not_member'
    if outside then refusal = nil end
    local earlier = id and not refusal and (known[place[at]] or older[place[at]] or mine[id])
    local item = (was == 0 and q == begin and mark + 4 or mark) .. before .. seq .. between .. ARGV[at + 1]
    local counted, to_a, size = a and not op and not refusal and not earlier, greater or a == b, #item
    -- Only what is not as it most often is gets looked at closer.
    if counted and count >= space then
      refusal = 'box_full'
    elseif counted and to_a and (h[FA] == 0 or h[PA] + more_a >= PENDING or h[YA] + bytes_a + size > PENDING_BYTES) then
      refusal = is_full(conv, h, PA, YA, FA, RA, more_a, bytes_a + size, sender, a) and 'box_full'
    elseif counted and not to_a and (h[FB] == 0 or h[PB] + more_b >= PENDING or h[YB] + bytes_b + size > PENDING_BYTES) then
      refusal = is_full(conv, h, PB, YB, FB, RB, more_b, bytes_b + size, sender, b) and 'box_full'
    end
    if refusal then
      at_reply = at_reply + 1
      reply[at_reply] = refusal
    elseif earlier then
      local first, when = struct.unpack(STORED, earlier)
      dups = dups or {}
      dups[#dups + 1] = first
      reply[at_reply + 1] = first
      reply[at_reply + 2] = first == (was > 0 and h[O] or begin) and 3 or 1
      reply[at_reply + 3] = when
      at_reply = at_reply + 3
    else
      local read
      count = count + 1
      items[count] = item
      if not a then
        if outside then
          read = h[S]
        else
          read = reads[sender] or tonumber(call('HGET', K_read(sender), conv) or 0)
          reads[sender] = q
        end
        feed[count] = ref .. '\t' .. item
      elseif greater then
        read, h[RB] = h[RB], q
      else
        read, h[RA] = h[RA], q
      end
      if counted and to_a then
        more_a, bytes_a = more_a + 1, bytes_a + size
      elseif counted then
        more_b, bytes_b = more_b + 1, bytes_b + size
      end
      if id then mine[id] = struct.pack(STORED, q, now) end
      reply[at_reply + 1] = q
      reply[at_reply + 2] = (was == 0 and q == begin and 2 or 0) + (read < h[S] and 4 or 0)
      at_reply = at_reply + 2
      if op then has_op = true else h[L], h[M] = q, now end
      h[S] = q
      q = q + 1
    end
  end

  local again_items = dups and again(conv, h, dups, begin)
  if count > 0 then
    if a then box(a, b, conv, h, has_op) end
    local len = push(conv, h, was, begin, items, now, epoch, LIFE)
    h[PA], h[YA], h[PB], h[YB] = h[PA] + more_a, h[YA] + bytes_a, h[PB] + more_b, h[YB] + bytes_b
    if h[X] == renewed then
      call('SET', K_head(conv), packed(h), 'KEEPTTL')
    else
      call('SET', K_head(conv), packed(h), 'PX', HEAD_LIFE)
    end
    for id, value in pairs(mine) do fresh[#fresh + 1], fresh[#fresh + 2] = id, value end
    for sender, seq in pairs(reads) do
      local is_new = call('HSET', K_read(sender), conv, seq) == 1
      -- Whoever has devices keeps it with them; see keep in device.lua.
      if is_new and conv == 'all' and call('EXISTS', K_rooms(sender)) == 0 then
        call('PEXPIRE', K_read(sender), HEAD_LIFE, 'NX')
      end
    end
    if has_op then
      for seq = begin, h[S] do redis.pcall('ZADD', K_ops(conv), format('%.0f', seq), format('%.0f', seq)) end
      call('PEXPIRE', K_ops(conv), HEAD_LIFE)
    end
    if len - KEEP > SLACK then cut(conv, h, len, a, b) end
  end

  if a then
    if dups then hint_direct(found[w + 1], found[w + 2], again_items) end
    if count > 0 then hint_direct(found[w + 1], found[w + 2], items) end
  else
    for i, item in ipairs(again_items or {}) do table.insert(feed, i, '0\t' .. item) end
    if feed[1] then call('PUBLISH', K_feed(conv), '1 ' .. self .. '\n' .. table.concat(feed, '\n')) end
  end
end

-- Stores the letters of the conversation at ARGV[p]; a broken key must not fail its neighbours, so that is answered
-- with internal. Returns whether it is well.
local function attempt(p, may_write)
  local answered = #reply
  local whole, failure = pcall(store, p, may_write)
  if whole then return true end
  redis.log(redis.LOG_WARNING, 'skein append: ' .. tostring(type(failure) == 'table' and failure.err or failure))
  for k = #reply, answered + 1, -1 do reply[k] = nil end
  for _ = 1, ARGV[p + 1] do reply[#reply + 1] = 'internal' end
  return false
end
