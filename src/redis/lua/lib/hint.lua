-- Payloads to nodes: "1 <n>", where n counts the payloads to that node (0: not counted), then one line a hint.
local lines, nodes = {}, {}

local function tell(node, line)
  local of = lines[node]
  if not of then
    of = {}
    lines[node] = of
    nodes[#nodes + 1] = node
  end
  of[#of + 1] = line
end

-- Tells every node in a user's list of nodes but one.
local function tell_user(at, line, but)
  if not at then return end
  for node in string.gmatch(at, '%S+') do
    if node ~= but then tell(node, line) end
  end
end

-- Publishes; returns how many payloads went to other nodes, and how many found nobody; and the number of self's own.
local function forward(self)
  local sent, unheard, own = 0, 0, 0
  for i = 1, #nodes do
    local node = nodes[i]
    local n = redis.call('INCR', K_cnt(node))
    local heard = redis.call('PUBLISH', K_to(node), '1 ' .. string.format('%.0f', n) .. '\n' .. table.concat(lines[node], '\n'))
    if node == self then
      own = n
    else
      sent = sent + 1
      if heard == 0 then unheard = unheard + 1 end
    end
  end
  return sent, unheard, own
end
