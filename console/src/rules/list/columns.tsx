import { Link } from "@tanstack/react-router";
import type { Column } from "../../ui/Grid";
import { SeverityTag } from "../../ui/Tags";
import { conditionText } from "../condition";
import { type Names, scopeOf, scopeText } from "../content";
import { StateTag } from "../StateTag";
import type { RuleRow } from "./useRules";

/** The columns of the list of rules. */
export function ruleColumns(names: Names, isPast: boolean): Column<RuleRow>[] {
  return [
    {
      id: "name",
      title: "Name",
      width: "minmax(170px, 1.4fr)",
      cell: (rule) => (
        <Link to="/rules/$id" params={{ id: rule.id }} title={rule.name}>
          {rule.name}
        </Link>
      ),
    },
    {
      id: "when",
      title: "When",
      width: "minmax(200px, 2fr)",
      cell: (rule) => {
        const text = conditionText(rule.condition);
        return <span title={text}>{text}</span>;
      },
    },
    {
      id: "scope",
      title: "On",
      width: "minmax(170px, 1.4fr)",
      cell: (rule) => {
        const text = scopeText(scopeOf(rule), names);
        return <span title={text}>{text}</span>;
      },
    },
    {
      id: "entities",
      title: isPast ? "Entities now" : "Entities",
      width: isPast ? "104px" : "78px",
      number: true,
      cell: (rule) => <Count value={rule.entityCount} />,
    },
    { id: "severity", title: "Severity", width: "106px", cell: (rule) => <SeverityTag severity={rule.severity} /> },
    { id: "day", title: "24 h", width: "66px", number: true, cell: (rule) => <Fired rule={rule} count={rule.day} /> },
    { id: "month", title: "30 d", width: "70px", number: true, cell: (rule) => <Fired rule={rule} count={rule.month} /> },
    { id: "state", title: "State", width: "110px", cell: (rule) => <StateTag isActive={rule.isActive} deletedAt={rule.deletedAt} /> },
  ];
}

/** What is seen of a rule on a phone: its severity, how often it fired, whether it is enabled. */
export const NARROW_LABELS = { severity: "", day: "24 h", month: "30 d", state: "" };

function Count({ value }: { value: number | null | undefined }) {
  return value === null || value === undefined ? <span className="muted">unknown</span> : value.toLocaleString("en");
}

function Fired({ rule, count }: { rule: RuleRow; count: number | null | undefined }) {
  if (!count) return <Count value={count} />;
  return (
    <Link to="/alarms" search={{ view: "any", rule: rule.id }} title={`Alarms of ${rule.name}`}>
      {count.toLocaleString("en")}
    </Link>
  );
}
