/** A person one writes with: whether they are there, and to block them. */
import type { Uid } from '../../protocol/index.js';
import type { Messenger } from '../model/messenger.js';
import { attempt } from '../model/note.js';
import { words } from '../words/index.js';
import { Avatar } from './avatar.js';
import { isSure } from './confirm.js';
import { Dialog } from './dialog.js';
import { Icon } from './icons.js';
import { presenceInWords } from './state.js';

type Props = { readonly m: Messenger; readonly uid: Uid; readonly close: () => void };

export function PersonInfo({ m, uid, close }: Props) {
  const t = words.value;
  const isBlocked = m.blocks.all.value.has(uid);
  return (
    <Dialog title={t.about(uid)} close={close}>
      <div class="identity">
        <Avatar name={uid} />
        <div class="naming">
          <bdi>{uid}</bdi>
          <small>{isBlocked ? t.isBlocked(uid) : presenceInWords(m.presences.of(uid))}</small>
        </div>
      </div>
      <div class="lasts">
        {isBlocked ? (
          <button type="button" class="row" onClick={() => void attempt(() => m.unblock(uid))}>
            <Icon name="block" /> {t.unblock}
          </button>
        ) : (
          <button type="button" class="row danger" onClick={() => void block(m, uid)}>
            <Icon name="block" /> {t.block}
          </button>
        )}
      </div>
    </Dialog>
  );
}

async function block(m: Messenger, uid: Uid): Promise<void> {
  const t = words.peek();
  if (await isSure(t.blockSure(uid), t.block)) await attempt(() => m.blocks.block(uid));
}
