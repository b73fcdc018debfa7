/** Who is in a group, as what, and what may be done about it. */
import { useState } from 'preact/hooks';
import { dmOf, type Member, parseUid, type Role, type RoomId } from '../../protocol/index.js';
import type { Messenger } from '../model/messenger.js';
import { attempt, say } from '../model/note.js';
import { words } from '../words/index.js';
import { Avatar } from './avatar.js';
import { isSure } from './confirm.js';
import { Icon } from './icons.js';
import { go, roleInWords } from './sidebar.js';

const RANK: { readonly [K in Role]: number } = { owner: 2, admin: 1, member: 0 };

type Props = {
  readonly m: Messenger;
  readonly room: RoomId;
  readonly members: readonly Member[];
  /** This user's own role. */
  readonly mine: Role;
  readonly reload: () => Promise<void>;
  readonly close: () => void;
};

export function Members(props: Props) {
  const { members, mine } = props;
  const [chosen, choose] = useState('');
  return (
    <section class="members" aria-label={words.value.members}>
      {RANK[mine] > 0 && <Invite {...props} />}
      <ul>
        {members.map((member) => (
          <Row
            key={member.uid}
            {...props}
            member={member}
            isOpen={member.uid === chosen}
            toggle={() => choose(member.uid === chosen ? '' : member.uid)}
          />
        ))}
      </ul>
    </section>
  );
}

function Invite({ m, room, reload }: Props) {
  const t = words.value;
  return (
    <form
      class="inline"
      onSubmit={async (event) => {
        event.preventDefault();
        const form = event.currentTarget;
        const uid = parseUid(String(new FormData(form).get('whom')).trim());
        if (uid === undefined) return say(t.badName);
        if (await attempt(() => m.groups.admit(room, uid))) form.reset();
        await attempt(reload);
      }}
    >
      <input name="whom" placeholder={t.inviteWhom} aria-label={t.inviteWhom} required autocomplete="off" />
      <button type="submit" class="primary">
        {t.invite}
      </button>
    </form>
  );
}

type RowProps = Props & { readonly member: Member; readonly isOpen: boolean; readonly toggle: () => void };

function Row(props: RowProps) {
  const { m, member, isOpen, toggle } = props;
  const t = words.value;
  const { uid, role, online } = member;
  return (
    <li>
      <span class={`portrait ${online ? 'online' : ''}`}>
        <Avatar name={uid} size="small" />
      </span>
      <bdi>{uid}</bdi>
      {online && <span class="unseen">{t.online}</span>}
      <small class={role}>{uid === m.me ? `${t.you} · ${roleInWords(role)}` : roleInWords(role)}</small>
      {uid !== m.me && (
        <button
          type="button"
          class="round"
          aria-label={t.manage(uid)}
          title={t.manage(uid)}
          aria-expanded={isOpen}
          onClick={toggle}
        >
          <Icon name="more" />
        </button>
      )}
      {isOpen && <Acts {...props} />}
    </li>
  );
}

function Acts({ m, room, member: { uid, role }, mine, reload, close, toggle }: RowProps) {
  const t = words.value;
  const isAbove = RANK[mine] > RANK[role];
  async function run(work: () => unknown): Promise<void> {
    toggle();
    if (await attempt(work)) await attempt(reload);
  }
  const give = (to: Role): Promise<void> => run(() => m.groups.admit(room, uid, to));
  async function handOver(): Promise<void> {
    if (await isSure(t.makeOwnerSure(uid), t.makeOwner)) await give('owner');
  }
  async function remove(): Promise<void> {
    if (await isSure(t.removeSure(uid), t.remove)) await run(() => m.groups.remove(room, uid));
  }
  function write(): void {
    close();
    go(dmOf(m.me, uid));
  }
  return (
    <div class="member-acts">
      <Act label={t.writeTo} act={write} />
      {isAbove && mine === 'owner' && role === 'admin' && <Act label={t.makeMember} act={() => give('member')} />}
      {isAbove && mine === 'owner' && role === 'member' && <Act label={t.makeAdmin} act={() => give('admin')} />}
      {mine === 'owner' && <Act label={t.makeOwner} act={handOver} />}
      {isAbove && <Act label={t.remove} act={remove} look="danger" />}
    </div>
  );
}

type ActProps = { readonly label: string; readonly act: () => unknown; readonly look?: string };

function Act({ label, act, look = '' }: ActProps) {
  return (
    <button type="button" class={`link ${look}`} onClick={() => void act()}>
      {label}
    </button>
  );
}
