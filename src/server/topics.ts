/** Who has subscribed to what. */
export class Topics<Subscriber extends object> {
  private readonly subscribers = new Map<string, Set<Subscriber>>();
  private readonly topics = new Map<Subscriber, Set<string>>();

  of(topic: string): Iterable<Subscriber> {
    return this.subscribers.get(topic) ?? [];
  }

  add(topic: string, subscriber: Subscriber): void {
    entry(this.subscribers, topic).add(subscriber);
    entry(this.topics, subscriber).add(topic);
  }

  delete(topic: string, subscriber: Subscriber): void {
    remove(this.subscribers, topic, subscriber);
    remove(this.topics, subscriber, topic);
  }

  deleteAll(subscriber: Subscriber): void {
    for (const topic of this.topics.get(subscriber) ?? []) remove(this.subscribers, topic, subscriber);
    this.topics.delete(subscriber);
  }
}

function entry<Key, Value>(map: Map<Key, Set<Value>>, key: Key): Set<Value> {
  const known = map.get(key);
  if (known) return known;
  const made = new Set<Value>();
  map.set(key, made);
  return made;
}

function remove<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const values = map.get(key);
  if (values?.delete(value) && values.size === 0) map.delete(key);
}
