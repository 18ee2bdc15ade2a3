// What an answer cost, in numbers.

function seconds(value) {
  return value < 1 ? `${Math.round(1000 * value)} ms` : `${value.toFixed(2)} s`;
}

/** Fills a description list with the totals of a report. */
export function showTotals(list, report) {
  const rate = report.total_seconds > 0 ? (report.positions / report.total_seconds).toFixed(1) : "–";
  const totals = [
    ["tokens", report.positions],
    ...(report.reasoning ? [["reasoning, not steered", report.reasoning]] : []),
    ...(report.calls ? [["calls of tools, not steered", report.calls]] : []),
    ...(report.forced ? [["forced by the format", report.forced]] : []),
    ["changed by steering", report.changed],
    ["proved", report.certified + report.refetched],
    ["not proved", report.uncertified],
    ["passed unsteered", report.passed],
    ["requests to the big model", report.upstream_requests + report.refetch_requests],
    ["computed for nothing", report.wasted_tokens],
    ["first token", seconds(report.first_token_seconds)],
    ["all", seconds(report.total_seconds)],
    ["tokens a second", rate],
    ["waited for the big model", seconds(report.upstream_wait_seconds)],
    ["waited for the small one", seconds(report.local_wait_seconds)],
  ];
  list.replaceChildren(...totals.map(([name, value]) => {
    const group = document.createElement("div");
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = name;
    description.textContent = value;
    group.append(term, description);
    return group;
  }));
}
