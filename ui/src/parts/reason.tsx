import { type ReactNode, useState } from 'react';
import { Failed, type Failure } from './bits';
import { Dialog } from './dialog';

interface Props {
  title: string;
  /** What is asked, such as "Why?". */
  label: string;
  placeholder?: string;
  /** The verb on the button. */
  verb: string;
  danger?: boolean;
  error: Failure | null | undefined;
  pending: boolean;
  onClose: () => void;
  onSay: (reason: string) => void;
  children?: ReactNode;
}

/** Asks for a reason before something that stays beside it. */
export function ReasonDialog({ title, label, placeholder, verb, danger, error, pending, onClose, onSay, children }: Props) {
  const [reason, setReason] = useState('');
  return (
    <Dialog open onClose={onClose} title={title}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          onSay(reason);
        }}
      >
        {children}
        <label className="field">
          {label}
          <textarea rows={3} required value={reason} placeholder={placeholder} onChange={(e) => setReason(e.target.value)} />
        </label>
        <Failed error={error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={danger ? 'btn danger' : 'btn primary'} disabled={pending}>
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
