import { MapPin } from 'lucide-react';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Chart, PinView } from '../../host/commands.gen';
import { Failed, Time } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';
import { One } from './edit';
import { placeOf, said } from './spec';

/** Runs whose pins are looked up; of more a chart is too full for remarks. */
const RUNS = 50;

/** The remarks at a chart's curves, as far as they lie in what is looked at. */
export function Pins({ chart, metric }: { chart: Chart; metric: string }) {
  const runs = [...new Set(chart.series.flatMap((s) => s.runs))];
  const pins = useCommand('pin.list', { runs }, { enabled: runs.length > 0 && runs.length <= RUNS });
  const [open, show] = useState<PinView | null>(null);
  const [left = 0, top = 0, right = 0] = chart.area;
  const here = pins.data?.filter((p) => p.metric === metric && p.step >= chart.x.from && p.step <= chart.x.to) ?? [];
  return (
    <>
      {here.map((p) => (
        <button
          key={p.id}
          type="button"
          className="pin"
          style={{ left: left + placeOf(chart.x, p.step) * (right - left), top: top + 26 }}
          title={p.text}
          aria-label={`Remark at step ${p.step}: ${p.text}`}
          onClick={() => show(p)}
        >
          <MapPin size={18} aria-hidden />
        </button>
      ))}
      {open && <PinDialog chart={chart} pin={open} run={open.run} metric={metric} step={open.step} onClose={() => show(null)} />}
    </>
  );
}

interface Props {
  chart: Chart;
  pin?: PinView;
  run: string;
  metric: string;
  step: number;
  onClose: () => void;
}

/** A remark at a point: to read, to write, to change. */
export function PinDialog({ chart, pin, run: first, metric, step: at, onClose }: Props) {
  const save = useAct('pin.save');
  const remove = useAct('record.delete');
  const toast = useToast();
  const [text, setText] = useState(pin?.text ?? '');
  const [run, setRun] = useState(first);
  const [step, setStep] = useState(Math.round(at));
  const runs = chart.series.flatMap((s) => s.runs.map((id): [string, string] => [id, s.name]));
  return (
    <Dialog open onClose={onClose} title={pin ? `Remark at step ${said(pin.step)} of ${metric}` : `Pin a remark to ${metric}`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          e.stopPropagation();
          save.mutate({ pin: pin?.id, run, metric, step, text, base: pin?.base }, { onSuccess: onClose });
        }}
      >
        {pin ? (
          <p className="muted">
            {pin.by.name}, <Time ms={pin.at_ms} />
          </p>
        ) : (
          <div className="row">
            {runs.length > 1 && <One label="Run" all={runs} value={run} choose={setRun} />}
            <label className="field">
              Step
              <input type="number" value={step} onChange={(e) => setStep(Math.round(Number(e.target.value)))} />
            </label>
          </div>
        )}
        <label className="field">
          What is to be known here
          <textarea
            rows={3}
            value={text}
            required
            placeholder="The learning rate was halved here"
            onChange={(e) => setText(e.target.value)}
          />
        </label>
        <Failed error={save.error ?? remove.error} />
        <div className="row right">
          {pin && (
            <button
              type="button"
              className="btn"
              onClick={() => {
                const subject = { kind: 'pin', id: pin.id };
                remove.mutate(
                  { subject, restore: false },
                  {
                    onSuccess: () => {
                      onClose();
                      toast('The remark is deleted', () => remove.mutate({ subject, restore: true }));
                    },
                  },
                );
              }}
            >
              Delete
            </button>
          )}
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={!text.trim() || !run || save.isPending}>
            {pin ? 'Save' : 'Pin it'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
