-- The health of a Workflow, LaunchPlan or Domain of alula, from its conditions.
local wait = {status = "Progressing", message = "the controller has not looked at it yet"}
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return wait
end
local by = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  by[condition.type] = condition
end
if by.Stalled ~= nil and by.Stalled.status == "True" then
  return {status = "Degraded", message = by.Stalled.reason .. ": " .. (by.Stalled.message or "")}
end
if by.Ready == nil or by.Ready.status ~= "True" then
  if by.Ready ~= nil and by.Ready.message ~= nil then
    wait.message = by.Ready.message
  end
  return wait
end
if by.Ready.reason == "Suspended" then
  return {status = "Suspended", message = by.Ready.message or ""}
end
return {status = "Healthy", message = by.Ready.message or by.Ready.reason}
