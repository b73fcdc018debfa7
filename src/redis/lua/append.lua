#!lua
-- Stores a batch of letters, addresses and hints them. Refused as a whole when memory is full (no allow-oom).
-- INCLUDE: head, position, log, hint, now
-- KEYS: 1 root
-- ARGV: self, keep, slack, life, dedup life, pending messages, pending bytes, stranger messages, strangers,
--       number of conversations, of uids; the conversations; the uids (sides of the direct ones);
--       per conversation: kind (d, r, a), a, b (sides; of a room: its name and nothing), number of letters;
--       per letter: mark digit, sender, id or nothing, tail, ref.
-- REPLY: ts, payloads to other nodes, how many of those found nobody; per letter, in the order given: an error code, or
--        seq, flags (1 dup, 2 first, 4 the read position had lagged), and of a dup its ts.
local self, keep, slack, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local format, match, byte = string.format, string.match, string.byte
local ts = format('%.0f', now)

local convs, uids = tonumber(ARGV[10]), tonumber(ARGV[11])
local wanted = { K_epoch() }
for i = 1, convs do wanted[i + 1] = K_head(ARGV[11 + i]) end
for i = 1, uids do wanted[1 + convs + i] = K_at(ARGV[11 + convs + i]) end
local found = redis.call('MGET', unpack(wanted))
local epoch = found[1] and tonumber(match(found[1], '%d+$')) or 0
local at = {}
for i = 1, uids do at[ARGV[11 + convs + i]] = found[1 + convs + i] end

local wasted, forwarded = 0, 0
-- Dedup keys that the running conversation set: deleted should it fail, for there is no rollback.
local set

local function is_member(room, sender)
  if redis.call('HEXISTS', K_members(room), sender) == 1 then return nil end
  return redis.call('EXISTS', K_room(room)) == 1 and 'not_member' or 'not_found'
end

-- A uid that no device ever used may be written to by so many, and so much.
local function stranger_refuses(sender, receiver, pending)
  if redis.call('EXISTS', K_devs(receiver)) == 1 then return false end
  if pending >= tonumber(ARGV[8]) then return true end
  local strangers = K_strangers(sender)
  if not redis.call('ZSCORE', strangers, receiver) and redis.call('ZCARD', strangers) >= tonumber(ARGV[9]) then
    redis.call('ZREMRANGEBYSCORE', strangers, '-inf', now - life)
    for _, uid in ipairs(redis.call('ZRANDMEMBER', strangers, 50)) do
      if redis.call('EXISTS', K_devs(uid)) == 1 then redis.call('ZREM', strangers, uid) end
    end
    if redis.call('ZCARD', strangers) >= tonumber(ARGV[9]) then return true end
  end
  redis.call('ZADD', strangers, now, receiver)
  redis.call('PEXPIRE', strangers, math.floor(life))
  return false
end

-- Whether the receiver's box takes no more. P, Y, F, R are the receiver's fields in the head.
local function is_full(conv, h, P, Y, F, R, size, sender, receiver)
  if h[P] >= tonumber(ARGV[6]) or h[Y] + size > tonumber(ARGV[7]) then
    if redis.call('EXISTS', K_log(conv)) == 1 then return true end
    h[PA], h[YA], h[PB], h[YB] = 0, 0, 0, 0
    if size > tonumber(ARGV[7]) then return true end
  end
  if sender == receiver or h[F] > 0 or h[R] > 0 or (h[P] > 0 and h[P] < tonumber(ARGV[8])) then return false end
  return stranger_refuses(sender, receiver, h[P])
end

-- Stored entries that were sent again, as far as they are still there.
local function again(conv, h, seqs, begin)
  local items = {}
  local log = K_log(conv)
  local len = redis.call('LLEN', log)
  for _, q in ipairs(seqs) do
    local index = q < begin and upto(log, h, len, q) or 0
    local item = index > 0 and redis.call('LINDEX', log, index - 1)
    if item and tonumber(match(item, '"seq":(%d+)')) == q then items[#items + 1] = item end
  end
  return items
end

local function hint_direct(a, b, items)
  local at_a, at_b = at[a], at[b]
  if at_a == self then at_a = false end
  if at_b == self or at_b == at_a then at_b = false end
  if not at_a and not at_b then return end
  local told = {}
  for node in string.gmatch((at_a or '') .. ' ' .. (at_b or ''), '%S+') do
    if node ~= self and not told[node] then
      told[node] = true
      for i = 1, #items do tell(node, items[i]) end
    end
  end
end

local function store(conv, kind, a, b, n, p, found_head, answers)
  local h = head_of(found_head)
  local was, q = h[S], h[S] + 1
  if was == 0 or h[E] ~= epoch then q = math.max(us, q) end
  local begin = q
  local before, between = '{"type":"message","conv":"' .. conv .. '","seq":', ',"ts":' .. ts .. ','
  local items, refs, ops, dups, reads = {}, {}, {}, nil, nil
  -- What becomes pending: counted apart, for push may find that what was pending has expired.
  local more = { 0, 0, 0, 0 }
  for i = 1, n do
    local mark, sender, id, tail = byte(ARGV[p]) - 48, ARGV[p + 1], ARGV[p + 2], ARGV[p + 3]
    local refusal = kind == 'r' and is_member(a, sender)
    if refusal then
      answers[i] = refusal
    else
      local greater, op = mark % 2 == 1, mark >= 2
      local seq = format('%.0f', q)
      local item = (was == 0 and q == begin and mark + 4 or mark) .. before .. seq .. between .. tail
      local counted = kind == 'd' and not op
      local full
      if counted then
        local P, Y, F, R, o = PB, YB, FB, RB, 3
        if greater or a == b then P, Y, F, R, o = PA, YA, FA, RA, 1 end
        h[P], h[Y] = h[P] + more[o], h[Y] + more[o + 1]
        full = is_full(conv, h, P, Y, F, R, #item, sender, greater and a or b)
        h[P], h[Y] = math.max(0, h[P] - more[o]), math.max(0, h[Y] - more[o + 1])
      end
      local known
      if id ~= '' then
        local key = K_dedup(conv, sender, id)
        if full then
          known = redis.call('GET', key)
        else
          known = redis.call('SET', key, seq .. ' ' .. ts, 'NX', 'GET', 'PX', ARGV[5])
          if not known then set[#set + 1] = key end
        end
      end
      if known then
        local first, stored = match(known, '^(%d+) (%d+)$')
        first = tonumber(first)
        dups = dups or {}
        dups[#dups + 1] = first
        answers[i] = { first, first == (h[O] > 0 and h[O] or begin) and 3 or 1, tonumber(stored) }
      elseif full then
        answers[i] = 'box_full'
      else
        local read
        if kind ~= 'd' then
          reads = reads or {}
          read = reads[sender] or tonumber(redis.call('HGET', K_read(sender), conv) or 0)
          reads[sender] = q
        elseif greater then
          read, h[RB] = h[RB], q
        else
          read, h[RA] = h[RA], q
        end
        if counted then
          local o = (greater or a == b) and 1 or 3
          more[o], more[o + 1] = more[o] + 1, more[o + 1] + #item
        end
        if op then ops[#ops + 1] = q; ops[#ops + 1] = q end
        items[#items + 1] = item
        refs[#refs + 1] = ARGV[p + 4]
        answers[i] = { q, (was == 0 and q == begin and 2 or 0) + (read < h[S] and 4 or 0) }
        h[S] = q
        q = q + 1
      end
    end
    p = p + 5
  end

  local again_items = dups and again(conv, h, dups, begin)
  if #items > 0 then
    if kind == 'd' and (now - h[Z] >= 1000 or now < h[Z]) then
      redis.call('ZADD', K_box(a), now, conv)
      if a ~= b then redis.call('ZADD', K_box(b), now, conv) end
      h[Z] = now
    end
    local len = push(conv, h, was, begin, items, now, epoch, keep, slack, life)
    h[PA], h[YA], h[PB], h[YB] = h[PA] + more[1], h[YA] + more[2], h[PB] + more[3], h[YB] + more[4]
    redis.call('SET', K_head(conv), packed(h), 'PX', math.floor(2 * life))
    if reads then
      for sender, seq in pairs(reads) do redis.call('HSET', K_read(sender), conv, seq) end
    end
    if ops[1] then
      redis.pcall('ZADD', K_ops(conv), unpack(ops))
      redis.call('PEXPIRE', K_ops(conv), math.floor(2 * life))
    end
    if len - keep > slack then
      trim(conv, h, len, keep, slack)
      redis.call('SET', K_head(conv), packed(h), 'PX', math.floor(2 * life))
    end
  end

  if kind == 'd' then
    if dups then hint_direct(a, b, again_items) end
    if #items > 0 then hint_direct(a, b, items) end
  else
    local feed = {}
    for _, item in ipairs(again_items or {}) do feed[#feed + 1] = '0\t' .. item end
    for i = 1, #items do feed[#feed + 1] = refs[i] .. '\t' .. items[i] end
    if #feed > 0 then redis.call('PUBLISH', K_feed(conv), '1 ' .. self .. '\n' .. table.concat(feed, '\n')) end
  end
end

local reply = { now, 0, 0 }
local p = 12 + convs + uids
for i = 1, convs do
  local n = tonumber(ARGV[p + 3])
  local answers = {}
  set = {}
  local stored, failure = pcall(store, ARGV[11 + i], ARGV[p], ARGV[p + 1], ARGV[p + 2], n, p + 4, found[i + 1], answers)
  if not stored then
    redis.log(redis.LOG_WARNING, 'skein append: ' .. tostring(type(failure) == 'table' and failure.err or failure))
    for k = 1, #set do redis.call('DEL', set[k]) end
  end
  for k = 1, n do
    local answer = stored and answers[k] or 'internal'
    if type(answer) == 'table' then
      for f = 1, #answer do reply[#reply + 1] = answer[f] end
    else
      reply[#reply + 1] = answer
    end
  end
  p = p + 4 + n * 5
end
reply[2], reply[3] = forward(self)
return reply
