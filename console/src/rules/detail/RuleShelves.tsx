import { isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { Failed } from "../../ui/States";
import { toast } from "../../ui/Toasts";
import { SuppressionRow } from "../shelving/SuppressionRow";
import { useEnd, useShelving } from "../shelving/useShelving";

/** The shelves of a rule that apply, or are to come. One request. */
export function RuleShelves({ ruleId }: { ruleId: string }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const { answer, placed } = useShelving();
  const end = useEnd();
  const shelves = [...placed.now, ...placed.later].filter((item) => item.rule?.id === ruleId);
  const stop = (item: (typeof shelves)[number]) =>
    end.run(item).then(
      () => toast("The shelf was ended. Alarms that are still open send their notifications now."),
      () => undefined, // The refusal is shown below.
    );
  return (
    <>
      <h3>Shelves</h3>
      <Failed faults={[...(answer.error?.faults ?? answer.faults), ...end.faults]} />
      {shelves.length === 0 && answer.data !== undefined && <p className="muted">{past ? "It was not shelved at this moment." : "It is not shelved."}</p>}
      <ul className="plain">
        {shelves.map((item) => (
          <SuppressionRow key={item.id} item={item} past={past} isRunning={end.isRunning} onEnd={() => void stop(item)} />
        ))}
      </ul>
    </>
  );
}
