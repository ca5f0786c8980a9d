import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { SubjectRef } from '../../host/commands.gen';
import { Failed } from '../../parts/bits';
import { ReasonDialog } from '../../parts/reason';
import { RecordLink } from '../../parts/record';
import { useToast } from '../../parts/toast';

interface Props {
  subject: SubjectRef;
  /** What goes, as the undo names it. */
  said: string;
  /** The same for a screen reader, after the word "Delete". */
  name: string;
}

/** Takes a record away at once, and offers to bring it back. What others build on asks why first. */
export function Delete({ subject, said, name }: Props) {
  const remove = useAct('record.delete');
  const toast = useToast();
  const [asking, ask] = useState(false);
  const done = () => {
    ask(false);
    toast(`Deleted ${said}.`, () => remove.mutate({ subject, restore: true }));
  };
  return (
    <>
      <button
        type="button"
        className="btn plain"
        onClick={() =>
          remove.mutate(
            { subject, restore: false },
            { onSuccess: done, onError: (error) => error.code === 'reason' && ask(true) },
          )
        }
      >
        Delete<span className="sr"> {name}</span>
      </button>
      {asking ? (
        <DeleteReason
          subject={subject}
          said={said}
          error={remove.error?.code === 'reason' ? null : remove.error}
          pending={remove.isPending}
          onClose={() => ask(false)}
          onSay={(reason) => remove.mutate({ subject, restore: false, reason }, { onSuccess: done })}
        />
      ) : (
        <Failed error={remove.error?.code === 'reason' ? null : remove.error} />
      )}
    </>
  );
}

interface ReasonProps {
  subject: SubjectRef;
  said: string;
  error: Parameters<typeof Failed>[0]['error'];
  pending: boolean;
  onClose: () => void;
  onSay: (reason: string) => void;
}

/** Names what rests on a record before it is hidden. */
export function DeleteReason({ subject, said, error, pending, onClose, onSay }: ReasonProps) {
  const resting = useCommand('record.resting', subject);
  const rests = resting.data?.rests ?? [];
  return (
    <ReasonDialog
      title={`Delete ${said}`}
      label="Why?"
      placeholder="It stays beside the mark, and everybody can read it."
      verb="Delete"
      danger
      error={error}
      pending={pending}
      onClose={onClose}
      onSay={onSay}
    >
      <p>It is hidden for everybody and can be shown again; nothing is erased.</p>
      {rests.length > 0 && (
        <>
          <p>These rest on it:</p>
          <ul>
            {rests.map((r) => (
              <li key={`${r.kind}/${r.id}`}>
                <RecordLink {...r} />
              </li>
            ))}
          </ul>
          {(resting.data?.more ?? 0) > 0 && <p>And {resting.data?.more} more.</p>}
        </>
      )}
    </ReasonDialog>
  );
}
