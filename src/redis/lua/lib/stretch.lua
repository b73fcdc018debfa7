-- Reads a stretch of a log by index, first to last, in steps small enough that no huge reply is ever built; ends
-- early once it holds so many bytes, but not before it holds one item. from > to reads nothing.
local function stretch(log, from, to, bytes)
  local items, size, largest = {}, 0, 0
  while from <= to and (size < bytes or #items == 0) do
    local step = 8
    if largest > 0 then step = math.max(1, math.min(256, math.floor((bytes - size) / largest))) end
    for _, item in ipairs(redis.call('LRANGE', log, from, math.min(to, from + step - 1))) do
      if #items > 0 and size + #item > bytes then return items end
      items[#items + 1] = item
      size = size + #item
      largest = math.max(largest, #item)
    end
    from = from + step
  end
  return items
end

-- The same from last to first: the newest that fit, oldest first.
local function stretch_back(log, from, to, bytes)
  local items, size, largest = {}, 0, 0
  local full = false
  while from <= to and not full do
    local step = 8
    if largest > 0 then step = math.max(1, math.min(256, math.floor((bytes - size) / largest))) end
    local got = redis.call('LRANGE', log, math.max(from, to - step + 1), to)
    for i = #got, 1, -1 do
      if #items > 0 and size + #got[i] > bytes then
        full = true
        break
      end
      items[#items + 1] = got[i]
      size = size + #got[i]
      largest = math.max(largest, #got[i])
    end
    to = to - step
    full = full or size >= bytes
  end
  local forward = {}
  for i = #items, 1, -1 do forward[#forward + 1] = items[i] end
  return forward
end
