import { useAct } from '../../host/cache';
import type { SubjectRef } from '../../host/commands.gen';
import { Failed } from '../../parts/bits';
import { useToast } from '../../parts/toast';

interface Props {
  subject: SubjectRef;
  /** What goes, as the undo names it. */
  said: string;
  /** The same for a screen reader, after the word "Delete". */
  name: string;
}

/** Takes a record away at once, and offers to bring it back. */
export function Delete({ subject, said, name }: Props) {
  const remove = useAct('record.delete');
  const toast = useToast();
  return (
    <>
      <button
        type="button"
        className="btn plain"
        onClick={() =>
          remove.mutate(
            { subject, restore: false },
            { onSuccess: () => toast(`Deleted ${said}.`, () => remove.mutate({ subject, restore: true })) },
          )
        }
      >
        Delete<span className="sr"> {name}</span>
      </button>
      <Failed error={remove.error} />
    </>
  );
}
